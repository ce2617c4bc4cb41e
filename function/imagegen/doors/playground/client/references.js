export function warnings({ prompt, references = [] }) {
  const entries = tagged(prompt, references), named = mentions(prompt), tags = entries.map(({ tag }) => tag);
  return [
    ...named.filter((tag) => !tags.includes(tag)).map((tag) => ({ tag, text: `No reference is tagged @${tag}.` })),
    ...tags.filter((tag) => !named.includes(tag)).map((tag) => ({ tag, text: `The prompt does not name @${tag}.` })),
    ...entries.filter(({ image }) => !image).map(({ tag }) => ({ tag, text: `@${tag} has no image.` })),
  ];
}

const mentions = (prompt) => [...new Set(Array.from(prompt.matchAll(/(?<!\w)@([a-z]\w{2,15})(?!\w)/gi), ([, tag]) => tag))];
const plain = (given) => given.image === undefined && given.tag === undefined ? { image: given } : given;
export const identity = (given) => {
  const { tag, image } = plain(given);
  return [tag, image instanceof Blob ? [image.name, image.size, image.lastModified] : image && String(image).slice(-200)];
};

export function tagged(prompt, references) {
  const entries = references.map(plain), taken = entries.map(({ tag }) => tag), free = mentions(prompt).filter((tag) => !taken.includes(tag));
  return entries.map((entry, index) => ({ ...entry, tag: entry.tag ?? free.shift() ?? `image${index + 1}` }));
}

export async function dataUri(file) {
  let text = "";
  for (const byte of new Uint8Array(await file.arrayBuffer())) text += String.fromCharCode(byte);
  return `data:${file.type};base64,${btoa(text)}`;
}
