/* What this browser asked for, newest first: images, what runs, and what went wrong. */
import { $, box, el, intoView, isWeb, shortId } from "./dom.js";
import { renewed, runOf } from "./runs.js";
import { credential, needsCredential } from "./service.js";
import { entries } from "./store.js";

const asked = new Set();
let renewing = Promise.resolve(), stage;

/** The stage is asked: `shownName()` is the entry that it shows, `show(entry)` shows another. */
export const buildHistory = (asks) => { stage = asks; };

export function drawHistory() {
  const all = entries(), focused = document.activeElement?.closest("#thumbs button")?.dataset.name;
  $("history").hidden = all.length === 0;
  $("thumbs").replaceChildren(...all.map((entry) => el("li", null, tile(entry))));
  if (focused) thumbOf(focused)?.focus({ preventScroll: true });
}

const thumbOf = (name) => $("thumbs").querySelector(`[data-name="${CSS.escape(name)}"]`);

function tile(entry) {
  const { name, id, body, state } = entry, image = state === "image";
  return el("button", {
    type: "button", "aria-current": String(stage.shownName() === name), "data-name": name, "data-id": image ? id : null, "data-state": state, title: body.promptText, onclick: () => pick(entry),
  }, image ? picture(entry) : el("span", { class: "tile" }, state === "running" ? box(body.ratio, 40, "span", "ghost") : "!", el("span", { class: "unseen" }, body.promptText)),
  el("span", null, image ? shortId(id) : state === "running" ? "running" : entry.problem.code));
}

function picture(entry) {
  const { url, urlExpiresAt } = entry.answer.body.image, good = isWeb(url) && Date.parse(urlExpiresAt) > Date.now();
  if (!good) renew(entry);
  return el("img", { src: good ? url : false, alt: entry.body.promptText, loading: "lazy" });
}

/* Links that have expired are signed anew, one after the other. */
function renew(entry) {
  if (asked.has(entry.name) || (needsCredential && !credential())) return;
  asked.add(entry.name);
  renewing = renewing.then(() => renewed(entry)).then(drawHistory, () => {});
}

function pick(entry) {
  stage.show(entry);
  if (!runOf(entry.name)) thumbOf(entry.name)?.focus({ preventScroll: true });
  intoView($("show"));
}
