/* Reference images: URLs and files, chosen, dropped anywhere or pasted; each with a tag. */
import { clearComplaints, complain } from "./complaints.js";
import { $, button, chosen, el, isWeb, say, size } from "./dom.js";
import { client, settings } from "./service.js";

const MOST = 3, MAX_INLINE = 5 * 1024 * 1024, SMALL = 100_000, MAX_BYTES = 20_000_000;
const KINDS = { "image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WebP" };
let all = [], numbers = 0, tell = () => {};

export const references = () => all.map(({ tag, uri, name, preview }) => ({ tag, uri, name, preview }));

/** Replace all references, by earlier ones. */
export function setReferences(list) {
  all = list.slice(0, MOST).map((known) => numbered({ name: isFile(known.uri) ? known.name ?? "file" : null, ...known }));
  draw();
}

const isFile = (uri) => /^(gs|data):/.test(uri ?? "");
const numbered = (reference) => ({ uri: "", name: null, preview: reference.uri?.startsWith("data:") ? reference.uri : null, ...reference, number: numbers += 1 });

export function addReference(reference) {
  if (all.length >= MOST) return complain("/referenceImages", "three references are the most");
  const taken = new Set(all.map(({ tag }) => tag)), added = numbered({ tag: ["model", "cloth", "place", "style"].find((tag) => !taken.has(tag)), ...reference });
  all.push(added);
  draw();
  tell();
  return added;
}

function draw() {
  $("reference-list").replaceChildren(...all.map(row));
  $("add-url").disabled = $("add-file").disabled = all.length >= MOST;
}

function row(reference, index) {
  const id = `reference-${reference.number}`, path = `/referenceImages/${index}`;
  const thumb = reference.preview ? el("img", { class: "thumb", src: reference.preview, alt: "" }) : el("span", { class: "thumb", "aria-hidden": "true" }, reference.name === null ? "URL" : "file");
  const tag = input(reference, "tag", id, path, {});
  const uri = reference.name === null ? input(reference, "uri", id, path, { inputmode: "url", placeholder: "https://…" }) : fileOf(reference, id, path);
  const remove = button("×", () => removeReference(reference), { class: "cross", "aria-label": `Remove reference ${index + 1}` });
  return el("li", { class: "reference" }, thumb, el("div", { class: "fields" }, tag, uri), remove);
}

function input(reference, what, id, path, attributes) {
  const field = el("input", { type: "text", id: `${id}-${what}`, spellcheck: "false", "data-pointer": `${path}/${what}`, "aria-describedby": `${id}-${what}-wrong`, ...attributes });
  field.value = reference[what];
  field.addEventListener("input", () => { reference[what] = field.value.trim(); });
  return el("div", null, el("label", { for: field.id }, what === "tag" ? "Tag" : "URL"), field, el("p", { class: "wrong", id: `${id}-${what}-wrong` }));
}

function fileOf(reference, id, path) {
  const how = reference.uri.startsWith("gs:") ? "uploaded" : `inside the request, ${size(reference.uri.length)}`;
  return el("div", null, el("p", { class: "file small", tabindex: "-1", id: `${id}-uri`, "data-pointer": `${path}/uri`, "aria-describedby": `${id}-uri-wrong` },
    el("span", { class: "mono" }, reference.name), el("span", { class: "soft" }, how)), el("p", { class: "wrong", id: `${id}-uri-wrong` }));
}

function removeReference(reference) {
  all = all.filter((known) => known !== reference);
  draw();
  tell();
  $("add-url").focus();
}

/** Add a file: small ones travel inside the request, larger ones are uploaded first, unless the form says otherwise. */
export async function addFile(file) {
  clearComplaints();
  const wrong = unfit(file) ?? (all.length >= MOST ? "three references are the most" : null);
  if (wrong) return complain("/referenceImages", wrong);
  const preview = await previewOf(file);
  if (!preview) return complain("/referenceImages", `${file.name} cannot be read as an image; save it anew as PNG or JPEG`);
  const inline = chosen("travel") === "inline" || (chosen("travel") === "auto" && file.size < SMALL);
  try {
    addReference({ name: file.name, preview, uri: inline ? await asDataUri(file) : await client.upload(file) });
    say(`${file.name} added as a reference`);
  } catch (error) {
    complain("/referenceImages", `${file.name} could not be uploaded: ${error.message}`);
  }
}

/* Why a file cannot be a reference, and what to do about it. */
function unfit(file) {
  if (/hei[cf]/i.test(file.type) || /\.hei[cf]$/i.test(file.name)) return `${file.name} is HEIC, which Segmind does not take: export it as JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible)`;
  if (!(file.type in KINDS)) return `${file.name} is not a PNG, JPEG or WebP image; convert it to one of them`;
  if (file.size > MAX_BYTES) return `${file.name} has ${size(file.size)}; make it smaller than ${size(MAX_BYTES)}`;
  if (chosen("travel") === "inline" && file.size * 4 / 3 > MAX_INLINE) return `${file.name} is too large to travel inside the request; let it be uploaded first`;
  return null;
}

/* A small picture to show; null where the bytes are no image. */
async function previewOf(file) {
  try {
    const bitmap = await createImageBitmap(file), scale = 104 / Math.min(bitmap.width, bitmap.height);
    const canvas = el("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/webp", .8);
  } catch {
    return null;
  }
}

function asDataUri(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}

const takeFiles = (files) => [...files].reduce((before, file) => before.then(() => addFile(file)), Promise.resolve());

/** Take files from everywhere on the page. `changed` is told of every change. */
export function buildReferences(changed) {
  tell = changed;
  $("add-file").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", async () => { await takeFiles($("file").files); $("file").value = ""; });
  $("add-url").addEventListener("click", () => { const added = addReference({}); if (added) $(`reference-${added.number}-tag`).focus(); });
  if (!settings.uploads) return;
  const over = (on) => (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    $("drop").classList.toggle("over", on);
  };
  addEventListener("dragover", over(true));
  addEventListener("dragleave", over(false));
  addEventListener("drop", (event) => { over(false)(event); takeFiles(event.dataTransfer?.files ?? []); });
  addEventListener("paste", pasted);
}

function pasted(event) {
  const { files } = event.clipboardData, text = event.clipboardData.getData("text/plain").trim();
  if (files.length) {
    event.preventDefault();
    takeFiles(files);
  } else if (!event.target.closest("input, textarea") && isWeb(text)) {
    addReference({ uri: text });
  }
}
