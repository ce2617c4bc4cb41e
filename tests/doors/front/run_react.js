import { createElement } from "react";
import { act, create } from "react-test-renderer";
const kept = new Map();
globalThis.document = {};
globalThis.localStorage = { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v),
  removeItem: (k) => kept.delete(k), key: (n) => [...kept.keys()][n] ?? null, get length() { return kept.size; } };
globalThis.IS_REACT_ACT_ENVIRONMENT = true;
const { Generator } = await import("./built/react.js");
let page;
await act(async () => { page = create(createElement(Generator)); });
await act(async () => page.root.findByType("button").props.onClick());
const src = page.root.findByType("img").props.src;
console.log(JSON.stringify((await fetch(src)).headers.get("content-type")));
process.exit(0);
