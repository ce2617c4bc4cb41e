/* The card of a problem: what it cost, what happened, and what to do, the best thing first. */
import { focusField, fieldOf } from "./complaints.js";
import { $, button, copy, el, number, say } from "./dom.js";
import { requestTabs } from "./cards.js";
import { newKey } from "./client/imagegen.js";
import { lookAgain, resume, send } from "./runs.js";
import { BILLED, client, needsCredential, PRICE } from "./service.js";
import { remove } from "./store.js";

/** `removed` is called when the entry has been removed. */
export function problemCard(entry, removed) {
  const { problem: about, answer, id } = entry, known = about.billed in BILLED ? about.billed : "maybe";
  const told = about.errors ? el("ul", { class: "errors" }, about.errors.map(errorLine)) : el("p", { class: "detail prompt" }, about.detail);
  const card = el("article", { class: `card problem ${known}`, "data-code": about.code, "aria-label": "Problem" }, el("div", { class: "pad" },
    el("p", { class: "badges" },
      el("span", { class: `badge ${known}`, id: "billed" }, BILLED[known]),
      entry.replayed ? el("span", { class: "badge", id: "replayed" }, "Idempotent-Replayed") : null,
      el("span", { class: "mono soft" }, [about.status, about.code].filter(Boolean).join(" · "))),
    el("h2", { tabindex: "-1" }, about.title),
    told,
    about.action ? el("p", { class: "todo" }, el("strong", null, "What to do: "), about.action) : null,
    rescued(about),
    el("div", { class: "row actions" }, actions(entry, removed), retryAfter(answer)),
    el("p", { class: "soft small" }, about.requestId ? ["Request id ", el("span", { class: "mono" }, about.requestId)] : null, id ? [" · image id ", el("span", { class: "mono" }, id)] : null)),
    requestTabs(entry));
  return { card };
}

function errorLine({ pointer, detail }) {
  const target = fieldOf(pointer);
  const where = target ? button(pointer, () => focusField(pointer), { class: "plain mono" }) : el("span", { class: "mono" }, pointer || "request");
  return el("li", null, where, ` ${detail}`);
}

function rescued(about) {
  if (!/^data:image\/(jpeg|png|webp);base64,/.test(about.image?.dataUri ?? "")) return null;
  return el("figure", { class: "stack" }, el("img", { class: "picture", src: about.image.dataUri, alt: "The paid image that could not be stored" }),
    el("a", { href: about.image.dataUri, download: "rescued-image" }, "Save it: this is the only copy"));
}

function retryAfter(answer) {
  const seconds = Number(answer?.headers.find(([name]) => name === "retry-after")?.[1] ?? 0);
  return seconds > 0 ? el("span", { class: "soft small" }, `Retry-After: ${number(seconds)} s`) : null;
}

/* Which buttons a problem has, by what its own action says. Each that can cost money says how much. */
function actions(entry, removed) {
  const { code, billed, errors } = entry.problem, order = { key: entry.key, body: entry.body, background: false };
  const can = {
    buy: () => button(`${code === "idempotency-key-reused" ? "Use a new key" : "Buy another"}, ${PRICE}`, () => send({ ...order, key: newKey() }), { id: "buy" }),
    again: () => button(`${entry.key ? "Try again with the same key" : "Try again"}, ${PRICE} if it works`, () => send(order), { id: "again" }),
    look: () => entry.key || entry.id ? button("Look again, free", () => found(entry), { id: "again" }) : null,
    correct: () => button("Correct it", () => focusField(errors?.[0]?.pointer || "/promptText"), { id: "correct" }),
    prompt: () => button("Change the prompt", () => $("prompt").focus(), { id: "correct" }),
    sign: () => needsCredential ? button(`Give ${$("credential-name").textContent === "API key" ? "an API key" : "a token"}`, () => $("credential").focus(), { id: "correct" }) : null,
    operator: () => { const pressed = button("Copy for the operator", () => copy(pressed, forOperator(entry)), { id: "operator" }); return pressed; },
  };
  const wanted = ACTIONS[code] ?? (billed === "no" ? ["again"] : billed === "yes" ? ["operator", "buy"] : ["look", "buy"]);
  const buttons = [...wanted.map((name) => can[name]()).filter(Boolean), button("Remove", () => forget(entry, removed), { class: "plain small", id: "forget" })];
  buttons[0].classList.add("lead");
  return buttons;
}

const OPERATOR = ["operator", "again"];
const ACTIONS = {
  "invalid-request": ["correct"], "too-large": ["correct"], "rejected-by-segmind": ["prompt"], "idempotency-key-reused": ["buy"],
  unauthenticated: ["sign", "again"], forbidden: ["operator"], "image-deleted": ["buy"], "image-not-stored": ["operator"],
  "segmind-unauthorized": OPERATOR, "segmind-forbidden": OPERATOR, "segmind-model-not-found": OPERATOR, "insufficient-credits": OPERATOR,
  "segmind-timeout": ["buy", "look"], "outcome-unknown": ["buy", "look"], internal: ["operator", "look"], "still-waiting": ["look", "operator"],
};

/* What was lost on the way is followed to its end; what has ended badly is looked up. Neither buys anything. */
function found(entry) {
  const how = { visible: true, foreground: true };
  return client.pending().some(({ name }) => name === entry.name) ? resume(entry, how) : lookAgain(entry);
}

function forget(entry, removed) {
  client.forget(entry.name);
  remove(entry.name);
  removed();
  say("Removed");
  $("prompt").focus();
}

function forOperator({ problem: { code, title, detail, action, requestId }, id, at }) {
  return [`${title} (${code})`, detail, action, `request id: ${requestId ?? "none"}`, `image id: ${id ?? "none"}`, `time: ${new Date(at).toISOString()}`].join("\n");
}
