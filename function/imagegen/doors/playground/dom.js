/* Small tools. Data becomes text nodes and attributes only; Trusted Types refuse anything else. */

export const $ = (id) => document.getElementById(id);

export function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const button = (text, onclick, attributes) => el("button", { type: "button", onclick, ...attributes }, text);

/** A rectangle of a ratio, as large as `longest` pixels allow. */
export function box(ratio, longest, tag = "i", name = "") {
  const made = el(tag, { class: name, "aria-hidden": "true" }), [width, height] = ratio.split(":").map(Number), scale = longest / Math.max(width, height);
  made.style.setProperty("width", `${Math.round(width * scale)}px`);
  made.style.setProperty("height", `${Math.round(height * scale)}px`);
  return made;
}

export const say = (text) => { $("live").textContent = text; };
export const number = (value, digits = 0) => Number(value).toLocaleString("en", { maximumFractionDigits: digits });
export const size = (bytes) => bytes < 1e3 ? `${bytes} B` : bytes < 1e6 ? `${number(bytes / 1e3)} kB` : `${number(bytes / 1e6, 1)} MB`;
export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
export const shortId = (id) => `${id.slice(0, 6)}…${id.slice(-4)}`;
export const isWeb = (url) => typeof url === "string" && /^https?:\/\//i.test(url);
export const chosen = (name) => document.querySelector(`input[name=${name}]:checked`).value;
export const choose = (name, value) => { document.querySelector(`input[name=${name}][value="${value}"]`).checked = true; };

export function intoView(target) {
  const top = target.getBoundingClientRect().top, sheet = !$("drawer").hidden && getComputedStyle($("drawer")).position === "fixed";
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (top < 0 || top > innerHeight * (sheet ? .2 : .7)) target.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
}

/** Copy a text, on plain http, too, where there is no clipboard to ask. */
export async function copy(pressed, text) {
  const done = await (navigator.clipboard?.writeText(text).then(() => true, () => false) ?? false) || copyBySelection(text);
  const before = pressed.textContent;
  pressed.textContent = done ? "Copied" : "Not copied";
  say(pressed.textContent);
  setTimeout(() => { pressed.textContent = before; }, 1500);
}

function copyBySelection(text) {
  const field = el("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1" }), focused = document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus({ preventScroll: true });
  return done;
}

/** Let the browser save bytes as a file. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob), link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
