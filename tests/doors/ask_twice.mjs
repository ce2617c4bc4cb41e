const [, , source, url, prompt, key] = process.argv;
const { ImageClient, ImageProblem } = await import(source), client = new ImageClient({ url });
const ask = () => client.generate({ prompt, key });
try {
  const [first, second] = [await ask(), await ask()], bytes = await first.blob();
  const signed = await fetch(await first.freshUrl());
  await signed.arrayBuffer();
  console.log(JSON.stringify({ ids: [first.id, second.id], bytes: bytes.size, signed: signed.status }));
} catch (error) {
  if (!(error instanceof ImageProblem)) throw error;
  const { code, billed, requestId } = error;
  console.log(JSON.stringify({ code, billed, requestId: Boolean(requestId) }));
}
process.exit(0);
