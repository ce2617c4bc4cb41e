/* The card of an image: the picture, its facts, what can be done with it, and where the time went. */
import { $, button, clock, el, isWeb, number, save, say, size } from "./dom.js";
import { addFile } from "./references.js";
import { refill } from "./form.js";
import { renewed, send } from "./runs.js";
import { client, PRICE } from "./service.js";
import { snippets, tabs } from "./snippets.js";
import { newKey } from "./client/imagegen.js";

const RENEW_MS = 20_000; // before a link expires

/** `draw` shows the entry again, when its link is a new one. */
export function imageCard(entry, draw) {
  const { image, segmind, request, id } = entry.answer.body, link = el("span", { id: "countdown" });
  const end = countDown(link, image.urlExpiresAt, entry, draw);
  const picture = isWeb(image.url) ? el("img", { class: "picture", src: image.url, alt: `Generated image: ${request.promptText}`, width: image.width, height: image.height, "data-image": id }) : null;
  const card = el("article", { class: "card result", "data-id": id, "aria-label": "Image" }, picture, el("div", { class: "pad" },
    el("h2", { tabindex: "-1" }, "Your image"),
    badges(entry),
    el("p", { class: "prompt" }, request.promptText),
    actions(entry, draw),
    facts(image, segmind ?? {}, entry, link),
    timing(entry)), requestTabs(entry));
  return { card, end };
}

function badges({ replayed, answer, seconds }) {
  return el("p", { class: "badges" },
    el("span", { class: "badge" }, answer.status === 200 ? "200 OK" : String(answer.status)),
    replayed ? el("span", { class: "badge no", id: "replayed" }, "Idempotent-Replayed · free of charge") : null,
    el("span", { class: "soft small" }, `answered in ${seconds.toFixed(1)} s`));
}

function facts(image, segmind, entry, link) {
  const fact = (name, value, attributes) => el("div", attributes, el("dt", null, name), el("dd", null, value ?? "not told"));
  return el("dl", { class: "facts" },
    fact("Size", `${image.width} × ${image.height}`),
    fact("File", `${size(image.bytes)} ${image.contentType.replace("image/", "").toUpperCase()}`),
    fact("Cost", typeof segmind.costUsd === "number" ? `$${segmind.costUsd.toFixed(2)}${entry.replayed ? ", paid before" : ""}` : null),
    fact("Credits left", typeof segmind.remainingCredits === "number" ? number(segmind.remainingCredits, 2) : null),
    fact("Generation", typeof segmind.generationSeconds === "number" ? `${segmind.generationSeconds.toFixed(1)} s` : null),
    fact("Link expires in", link),
    fact("Image id", el("span", { class: "mono", id: "image-id" }, entry.id), { class: "wide" }));
}

/* Shows how long the link is good, and renews it shortly before its end. Returns what ends that. */
function countDown(target, expires, entry, draw) {
  const until = Date.parse(expires);
  let renewing = false;
  const count = () => {
    const left = until - Date.now();
    target.textContent = !expires ? "no link yet" : left > 0 ? clock(left / 1000) : "expired";
    if (left > RENEW_MS || renewing || document.hidden) return;
    renewing = true;
    renewed(entry).then((fresh) => { if (target.isConnected) draw(fresh); }, () => {});
  };
  const counting = setInterval(count, 1000);
  count();
  return () => clearInterval(counting);
}

function actions(entry, draw) {
  const { image, id } = entry.answer.body, order = { key: entry.key, body: entry.body };
  return el("div", { class: "row" },
    button("Download", () => withBytes(entry, (blob) => save(blob, `${id}.${image.contentType.replace("image/", "").replace("jpeg", "jpg")}`)), { id: "download" }),
    globalThis.ClipboardItem ? button("Copy image", () => copyImage(entry), { id: "copy-image" }) : null,
    button("Use as reference", () => withBytes(entry, (blob) => addFile(new File([blob], `${id.slice(0, 6)}.${image.contentType.slice(6)}`, { type: blob.type }))), { id: "as-reference" }),
    button("Edit this request", () => { refill(entry); $("prompt").focus(); }, { id: "refill" }),
    button(`Buy another, ${PRICE}`, () => send({ ...order, key: newKey() }), { id: "buy" }),
    entry.key ? button("Ask again with the same key, free", () => send(order), { id: "again" }) : null,
    isWeb(image.url) ? el("a", { class: "small target", href: image.url, target: "_blank", rel: "noopener noreferrer" }, "Open the image") : null,
    button("Fresh link", () => freshLink(entry, draw), { class: "plain small", id: "fresh" }));
}

async function withBytes(entry, use) {
  try {
    await use(await (await client.get(entry.id)).blob());
  } catch (error) {
    say(`The image could not be read: ${error.message}`);
  }
}

function copyImage(entry) {
  const png = client.get(entry.id).then((image) => image.blob()).then(asPng);
  navigator.clipboard.write([new ClipboardItem({ "image/png": png })]).then(() => say("Image copied"), (error) => say(`Not copied: ${error.message}`));
}

async function asPng(blob) {
  const bitmap = await createImageBitmap(blob), canvas = el("canvas", { width: bitmap.width, height: bitmap.height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
}

async function freshLink(entry, draw) {
  try {
    draw(await renewed(entry));
    say("The link is fresh");
    $("fresh").focus();
  } catch (error) {
    say(`No fresh link: ${error.message}`);
  }
}

function timing({ answer }) {
  const header = answer.headers.find(([name]) => name === "server-timing")?.[1] ?? "";
  const steps = header.split(",").map((part) => part.trim().match(/^([\w-]+);dur=([\d.]+)$/)).filter(Boolean);
  if (!steps.length) return null;
  const most = Math.max(...steps.map(([, , ms]) => Number(ms)), 1);
  const rows = steps.flatMap(([, name, ms]) => {
    const fill = el("i"), total = name === "total" ? "total" : "";
    fill.style.setProperty("width", `${100 * Number(ms) / most}%`);
    return [el("dt", { class: total }, name), el("div", { class: "bar", "aria-hidden": "true" }, fill), el("dd", { class: total }, Number(ms) < 1000 ? `${number(ms, 1)} ms` : `${number(ms / 1000, 2)} s`)];
  });
  return el("div", { class: "stack" }, el("h3", null, "Where the time went"), el("dl", { class: "bars" }, rows));
}

/** The request as code, and the answer as it came. */
export function requestTabs(entry) {
  const { answer } = entry, headers = (answer?.headers ?? []).map(([name, value]) => `${name}: ${value}`);
  const raw = answer?.body ? JSON.stringify(answer.body, null, 2) : "(no JSON came)";
  return tabs("tab", [...snippets(entry), ["JSON", raw], ["Headers", [`HTTP ${answer?.status ?? "(none)"}`, ...headers].join("\n")]], "Request and answer");
}
