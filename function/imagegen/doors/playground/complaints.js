/* Problems at their fields: marked, described, and reachable from where they are listed. */
import { $ } from "./dom.js";

/** The field that a JSON pointer leads to, or the nearest one above it. */
export function fieldOf(pointer) {
  for (let at = pointer || null; at; at = at.slice(0, at.lastIndexOf("/"))) {
    const found = document.querySelector(`[data-pointer="${CSS.escape(at)}"]`);
    if (found) return found;
  }
  return null;
}

export function focusField(pointer) {
  const field = fieldOf(pointer);
  if (!field) return;
  open(field);
  (field.matches("fieldset#ratio") ? field.querySelector("input:checked") : field).focus();
}

export function complain(pointer, detail) {
  const field = fieldOf(pointer === "" && /Idempotency-Key/.test(detail) ? "#key" : pointer);
  if (!field) return;
  open(field);
  field.setAttribute("aria-invalid", "true");
  const note = $(field.getAttribute("aria-describedby").split(" ").find((id) => id.endsWith("-wrong"))), known = field.dataset.pointer;
  const text = pointer.startsWith("/") && pointer !== known ? `${pointer.slice(known.length + 1)}: ${detail}` : detail;
  note.textContent = [note.textContent, text].filter(Boolean).join("; ");
}

export function clearComplaints() {
  document.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
  document.querySelectorAll(".wrong").forEach((note) => { note.textContent = ""; });
}

function open(field) {
  const hidden = field.closest("details");
  if (hidden) hidden.open = true;
}
