/* "Break it": everything that can go wrong at the vendor, played by a fake one on this machine. */
import { newKey } from "./client/imagegen.js";
import { $, el } from "./dom.js";
import { EXAMPLES, orderOfForm } from "./form.js";
import { send } from "./runs.js";
import { settings } from "./service.js";
import { isBusy } from "./stage.js";

const DOORS = { v1: ["v1"], v2: ["v2-submit", "v2-status", "v2-result"] };

async function toggle() {
  const open = $("drawer").hidden;
  $("drawer").hidden = !open;
  $("main").classList.toggle("breaking", open);
  $("break").setAttribute("aria-expanded", String(open));
  if (!open) return $("break").focus();
  if (!$("faults").hasChildNodes()) await list();
  $("faults").querySelector("button")?.focus({ preventScroll: true });
}

async function list() {
  try {
    const answer = await fetch(`${settings.fakeVendor}/_mock/magic`);
    const doors = DOORS[settings.segmindApi], { magic } = await answer.json();
    const possible = magic.filter((entry) => entry.prompt && entry.on.some((door) => doors.includes(door)));
    const groups = [...new Set(possible.map((entry) => entry.group))];
    $("faults").replaceChildren(...groups.flatMap((group) => [el("h3", null, group), el("ul", null, possible.filter((entry) => entry.group === group).map(fault))]));
  } catch {
    $("faults").replaceChildren(el("p", { class: "soft small" }, `The fake vendor at ${settings.fakeVendor} does not answer.`));
  }
}

function fault(entry) {
  const seen = el("em", null), name = entry.prompt.replace(/^\[mock:|\]$/g, "");
  const pressed = el("button", { type: "button", class: "fault", "data-magic": entry.name }, el("b", null, name), seen, el("small", null, entry.does));
  pressed.addEventListener("click", async () => {
    if (isBusy()) return;
    const ended = await send(broken(entry.prompt), { keepFocus: true });
    seen.textContent = ended.problem ? ended.problem.code : "image";
  });
  return el("li", null, pressed);
}

/* The form's request with the magic words in it; the form itself is left alone. */
function broken(magic) {
  const order = orderOfForm(), prompt = order.body.promptText.trim() || EXAMPLES[0][0];
  return { ...order, key: order.key && newKey(), body: { ...order.body, promptText: `${prompt} ${magic}` } };
}

export function buildBreakIt() {
  $("break").hidden = !settings.fakeVendor;
  $("break").addEventListener("click", toggle);
  $("drawer-close").addEventListener("click", toggle);
  addEventListener("keydown", (event) => { if (event.key === "Escape" && !$("drawer").hidden) toggle(); });
}
