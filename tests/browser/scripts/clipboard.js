return (async () => {
  const [item] = await navigator.clipboard.read(), bitmap = await createImageBitmap(await item.getType("image/png"));
  return [bitmap.width, bitmap.height];
})();
