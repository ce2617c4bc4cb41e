/* The request as code: curl, JavaScript and Python, each runs as it is pasted. And tabs to show it in. */
import { button, copy, el, number } from "./dom.js";
import { base, settings } from "./service.js";

const PLACEHOLDER = settings.auth === "oidc" ? "ID_TOKEN" : "API_KEY";
const MOST_ARGUMENT = 60_000; // a shell takes no argument much longer

const url = new URL("v1/images", base).href;
const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const bodyText = ({ body }) => JSON.stringify(body, null, 2);

export function headersOf({ key, background }) {
  return {
    "Content-Type": "application/json", Accept: "application/json",
    ...(key && { "Idempotency-Key": key }), ...(background && { Prefer: "respond-async" }),
  };
}

export function asCurl(order) {
  const body = bodyText(order), lines = Object.entries(headersOf(order)).map(([name, value]) => `-H ${shell(`${name}: ${value}`)}`);
  if (order.authorized) lines.push(`-H "Authorization: Bearer $${PLACEHOLDER}"`);
  const data = body.length > MOST_ARGUMENT ? `--data-binary @- <<'JSON'\n${body}\nJSON` : `--data-raw ${shell(body)}`;
  return [`curl -sS ${shell(url)}`, ...lines, data].join(" \\\n  ");
}

export function asJavaScript(order) {
  const headers = Object.entries(headersOf(order)).map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)},`);
  if (order.authorized) headers.push("    \"Authorization\": `Bearer ${credential}`,");
  const first = order.authorized ? `const credential = ""; // ${PLACEHOLDER}\n` : "";
  return `${first}const answer = await fetch(${JSON.stringify(url)}, {\n  method: "POST",\n  headers: {\n${headers.join("\n")}\n  },\n  body: JSON.stringify(${bodyText(order).replaceAll("\n", "\n  ")}),\n});\nconst image = await answer.json();`;
}

export function asPython(order) {
  const headers = Object.entries(headersOf(order)).map(([name, value]) => `        ${JSON.stringify(name)}: ${JSON.stringify(value)},`);
  if (order.authorized) headers.push(`        "Authorization": "Bearer " + os.environ["${PLACEHOLDER}"],`);
  return `import json\n${order.authorized ? "import os\n" : ""}import urllib.request\n\nrequest = urllib.request.Request(\n    ${JSON.stringify(url)},\n    method="POST",\n    headers={\n${headers.join("\n")}\n    },\n    data=json.dumps(${bodyText(order).replaceAll("\n", "\n    ")}).encode(),\n)\nwith urllib.request.urlopen(request) as answer:\n    image = json.load(answer)\nprint(json.dumps(image, indent=2))`;
}

export const snippets = (order) => [["curl", asCurl(order)], ["JavaScript", asJavaScript(order)], ["Python", asPython(order)]];

/* What is shown hints at a file's bytes; what is copied is whole. */
const shortened = (text) => text.replace(/(base64,[\w+/]{24})[\w+/=]{40,}/g, (all, start) => `${start}… (${number(all.length)} characters)`);

/** Tabs over [name, text] pairs. `id` makes theirs unique. */
export function tabs(id, pairs, label, chosen = 0) {
  const made = pairs.map(([name, text], index) => panel(`${id}-${index}`, name, text));
  const list = el("div", { role: "tablist", "aria-label": label }, ...made.map(({ tab }) => tab));
  const select = (index, focus) => made.forEach(({ tab, view }, other) => {
    tab.setAttribute("aria-selected", String(other === index));
    tab.tabIndex = other === index ? 0 : -1;
    view.hidden = other !== index;
    if (other === index && focus) tab.focus();
  });
  made.forEach(({ tab }, index) => tab.addEventListener("click", () => select(index, false)));
  list.addEventListener("keydown", (event) => {
    const now = made.findIndex(({ tab }) => tab === document.activeElement), last = made.length - 1;
    const to = { ArrowRight: now === last ? 0 : now + 1, ArrowLeft: now === 0 ? last : now - 1, Home: 0, End: last }[event.key];
    if (to !== undefined) { event.preventDefault(); select(to, true); }
  });
  select(chosen, false);
  return el("div", { class: "tabs" }, list, ...made.map(({ view }) => view));
}

function panel(id, name, text) {
  const code = el("pre", { class: "mono", tabindex: "0", "aria-label": name }, shortened(text));
  const pressed = button("Copy", () => copy(pressed, text), { class: "copy small", "aria-label": `Copy ${name}` });
  const tab = el("button", { type: "button", role: "tab", id, "aria-controls": `${id}-view` }, name);
  return { tab, view: el("div", { role: "tabpanel", class: "code", id: `${id}-view`, "aria-labelledby": id }, code, pressed) };
}
