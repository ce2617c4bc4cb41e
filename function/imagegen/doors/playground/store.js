/* What this browser keeps: the form, what was asked for and became of it, and how long that took. Every tab reads the same. */

const FORM = "imagegen:form", ENTRIES = "imagegen:history", TIMES = "imagegen:times", MOST_ENTRIES = 60, MOST_TIMES = 15, USUAL_SECONDS = 30;
const memory = new Map(); // where a browser keeps nothing, this page at least does

function read(name) {
  try { return JSON.parse(localStorage.getItem(name)); } catch { return memory.get(name) ?? null; }
}

function write(name, value) {
  memory.set(name, value);
  try { localStorage.setItem(name, JSON.stringify(value)); return true; } catch { return false; }
}

export const form = () => read(FORM);
export const keepForm = (value) => write(FORM, value) || write(FORM, { ...value, references: [] });

/** Everything that was asked for, newest first: {name, key, body, at, state, id, seconds, answer, problem, …}. */
export const entries = () => read(ENTRIES) ?? [];
export const entryOf = (name) => entries().find((entry) => entry.name === name);

/** Write an entry down; where there is no room, the oldest ones go. */
export function keep(entry) {
  const others = entries().filter(({ name }) => name !== entry.name), at = others.findIndex((other) => other.at < entry.at);
  others.splice(at < 0 ? others.length : at, 0, entry);
  keepAll(others.slice(0, MOST_ENTRIES));
  return entry;
}

export const remove = (name) => keepAll(entries().filter((entry) => entry.name !== name));

function keepAll(all) {
  for (let count = all.length; !write(ENTRIES, all.slice(0, count)) && count > 1; count -= Math.ceil(count / 4));
}

/** A storage for the client's keys. They come first: history makes room for them. */
export const keys = {
  get length() { try { return localStorage.length; } catch { return 0; } },
  key: (index) => localStorage.key(index),
  getItem: (name) => localStorage.getItem(name),
  removeItem: (name) => localStorage.removeItem(name),
  setItem(name, text) {
    try {
      localStorage.setItem(name, text);
    } catch {
      keepAll(entries().slice(0, 5));
      localStorage.setItem(name, text);
    }
  },
};

/** How long an image usually takes here, in seconds: the median of what this browser saw, and how often it saw one. */
export function usual() {
  const times = [...read(TIMES) ?? []].sort((a, b) => a - b);
  return { seconds: times.length ? times[Math.floor(times.length / 2)] : USUAL_SECONDS, seen: times.length };
}

export const learn = (seconds) => write(TIMES, [seconds, ...read(TIMES) ?? []].slice(0, MOST_TIMES));

/** Call `redraw` when another tab has written something down. */
export const onOtherTab = (redraw) => addEventListener("storage", ({ key }) => { if (key === ENTRIES || key === null) redraw(); });
