/* Completion of @tags in the prompt: a list of the references' tags while one is being written. */
import { $, el } from "./dom.js";
import { edited } from "./form.js";
import { references } from "./references.js";

let chosen = 0, shown = [];

/* The beginning of a tag right before the caret, or null. */
function beginning() {
  const { value, selectionStart, selectionEnd } = $("prompt");
  return selectionStart === selectionEnd ? value.slice(0, selectionStart).match(/(?<!\w)@(\w*)$/)?.[1] ?? null : null;
}

function draw() {
  const start = document.activeElement === $("prompt") ? beginning() : null;
  const before = shown.join();
  shown = start === null ? [] : references().map(({ tag }) => tag).filter((tag) => tag && tag !== start && tag.startsWith(start));
  if (shown.join() !== before) chosen = 0;
  $("tags").hidden = shown.length === 0;
  $("tags").replaceChildren(...shown.map((tag, index) => {
    const option = el("li", { role: "option", id: `tag-${index}`, "aria-selected": String(index === chosen) }, `@${tag}`);
    option.addEventListener("pointerdown", (event) => { event.preventDefault(); take(tag); });
    return option;
  }));
  $("prompt").setAttribute("aria-activedescendant", shown.length ? `tag-${chosen}` : "");
}

function take(tag) {
  const field = $("prompt"), at = field.selectionStart;
  field.setRangeText(`@${tag}`, at - beginning().length - 1, at, "end");
  edited();
  draw();
}

function pressed(event) {
  if (!shown.length) return;
  const step = { ArrowDown: 1, ArrowUp: shown.length - 1 }[event.key];
  if (step) chosen = (chosen + step) % shown.length;
  else if (event.key === "Tab" || (event.key === "Enter" && !event.ctrlKey && !event.metaKey)) take(shown[chosen]);
  else if (event.key === "Escape") shown = [];
  else return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key === "Escape") $("tags").hidden = true;
  else draw();
}

export function buildTags() {
  $("prompt").addEventListener("keydown", pressed);
  for (const kind of ["input", "click", "blur"]) $("prompt").addEventListener(kind, draw);
}
