/* The form: what is asked for. It is kept as it is typed, and found again after a reload. */
import { newKey, warnings } from "./client/imagegen.js";
import { $, box, choose, chosen, el, number } from "./dom.js";
import { references, setReferences } from "./references.js";
import { credential, PRICE, settings } from "./service.js";
import { snippets, tabs } from "./snippets.js";
import { entries, form, keepForm } from "./store.js";

const RATIOS = {
  "1280:720": "16:9", "1920:1080": "16:9 large", "1584:672": "21:9", "1104:832": "4:3",
  "720:1280": "9:16", "1080:1920": "9:16 large", "832:1104": "3:4", "960:960": "1:1",
};
export const EXAMPLES = [
  ["A red bicycle leaning against a white wall, soft morning light, film photograph", "1280:720"],
  ["A lighthouse on a basalt cliff at blue hour, long exposure, calm sea", "1584:672"],
  ["An architect’s paper model of a small library, seen from above, studio light", "960:960"],
  ["A fox crossing a snowy field at dawn, wide shot, quiet colours", "832:1104"],
];
const listeners = new Set();
let edits = 0;

/** How often the form was changed: tells whether a person went on writing meanwhile. */
export const editCount = () => edits;
export const onChange = (listener) => listeners.add(listener);

/** The request as it stands. A key in it is not used up yet. */
export function orderOfForm() {
  const referenceImages = references().map(({ tag, uri }) => uri ? { tag, uri } : { tag });
  return {
    key: chosen("keys") === "none" ? null : $("key").value || null,
    body: { promptText: $("prompt").value, referenceImages, ratio: chosen("ratio") },
    background: $("later").checked && settings.uploads, authorized: credential() !== "",
  };
}

/** A new key for the next image, unless the form is to keep its own. */
export function nextKey() {
  if (chosen("keys") === "new") $("key").value = newKey();
  changed();
}

/** Put an earlier request into the form. */
export function refill({ body }) {
  $("prompt").value = body.promptText;
  if (body.ratio in RATIOS) choose("ratio", body.ratio);
  setReferences(body.referenceImages);
  edited();
}

export function write(prompt, ratio) {
  $("prompt").value = prompt;
  choose("ratio", ratio);
  edited();
  $("prompt").focus();
}

export function edited() {
  edits += 1;
  changed();
  keepForm({
    prompt: $("prompt").value, ratio: chosen("ratio"), keys: chosen("keys"), key: chosen("keys") === "keep" ? $("key").value : null,
    travel: chosen("travel"), later: $("later").checked, advanced: $("advanced").open, references: references(),
  });
}

/** Draw what follows from the form: the count, the doubts, the price and the code. */
export function changed() {
  const units = $("prompt").value.length, order = orderOfForm();
  $("count").textContent = `${number(units)} / 1,000`;
  $("count").classList.toggle("over", units > 1000);
  $("key").disabled = chosen("keys") === "none";
  $("generate-text").textContent = isKnown(order) ? "Ask again, free" : `Generate, ${PRICE}`;
  drawDoubts(order);
  if ($("code").open) drawCode(order);
  listeners.forEach((listener) => listener());
}

function isKnown({ key, body }) {
  const ended = chosen("keys") === "keep" && entries().find((entry) => entry.key === key && entry.state === "image");
  return Boolean(ended) && JSON.stringify(ended.body) === JSON.stringify(body);
}

function drawDoubts({ body }) {
  const asked = body.referenceImages.map(({ tag, uri }) => ({ tag, image: uri }));
  const doubts = warnings({ prompt: body.promptText, references: asked }).map(({ text }) => el("li", null, text));
  const told = $("doubts").textContent;
  $("doubts").replaceChildren(...(doubts.length ? [el("p", null, `Segmind bills this, too, but perhaps not for what you mean:`), el("ul", null, ...doubts)] : []));
  if ($("doubts").textContent !== told) $("doubts").hidden = doubts.length === 0;
}

function drawCode(order) {
  const at = [...$("code-tabs").querySelectorAll("[role=tab]")].findIndex((tab) => tab.getAttribute("aria-selected") === "true");
  const focused = document.activeElement?.id;
  $("code-tabs").replaceChildren(tabs("code", snippets(order), "The request as code", Math.max(at, 0)));
  if (focused?.startsWith("code-")) $(focused)?.focus();
}

export function buildForm() {
  for (const [ratio, name] of Object.entries(RATIOS)) {
    const input = el("input", { type: "radio", name: "ratio", value: ratio, checked: ratio === "1280:720" });
    $("ratios").append(el("label", { class: "ratio" }, input, box(ratio, 30), el("b", null, name), el("span", null, ratio.replace(":", " × "))));
  }
  $("key").value = newKey();
  restore(form());
  $("key").addEventListener("input", () => choose("keys", "keep"));
  $("form").addEventListener("input", edited);
  $("form").addEventListener("change", edited);
  $("advanced").addEventListener("toggle", edited);
  $("code").addEventListener("toggle", changed);
  changed();
}

function restore(kept) {
  if (!kept) return;
  $("prompt").value = kept.prompt;
  if (kept.ratio in RATIOS) choose("ratio", kept.ratio);
  choose("keys", kept.keys);
  if (kept.key) $("key").value = kept.key;
  choose("travel", kept.travel);
  $("later").checked = kept.later && settings.uploads;
  $("advanced").open = kept.advanced;
  setReferences(kept.references);
}
