/* Asking: each request is an entry that is kept, and a run that follows it. A reload, another tab or a lost line ends neither. */
import { newKey } from "./client/imagegen.js";
import { editCount } from "./form.js";
import { client, credential, needsCredential } from "./service.js";
import { entries, entryOf, keep, learn } from "./store.js";

const DAY_MS = 86_400_000;
const followed = new Map();
let stage;

/** The stage is told of what runs: `began(run)`, `moved(run)` and `ended(run, entry)`. */
export const onStage = (told) => { stage = told; };
export const runOf = (name) => followed.get(name);

/** Send an order; return its entry when it has ended. It costs money unless its key has an image already. */
export function send(order, how = {}) {
  const name = order.key ?? newKey(), before = entryOf(name);
  const entry = { name, key: order.key, body: order.body, background: order.background, authorized: credential() !== "", at: Date.now(), state: "running" };
  return follow(keep({ ...before, ...entry }), { visible: true, foreground: true, before, ...how }, (options) => client.generate({ ...orderOf(entry), ...options }));
}

/** What the client is asked for. The name ties its record to the entry, with a key and without. */
function orderOf({ name, key, body, background }) {
  const references = body.referenceImages.map(({ tag, uri }) => ({ tag, image: uri }));
  return { name, key, prompt: body.promptText, references, ratio: body.ratio, background };
}

async function follow(entry, how, start) {
  const run = { entry, started: how.resumed ? entry.at : Date.now(), stop: new AbortController(), edits: editCount(), status: null, ...how };
  followed.set(entry.name, run);
  stage.began(run);
  const onStatus = (status) => { run.status = status; stage.moved(run); };
  const seconds = () => (Date.now() - run.started) / 1000;
  const ended = await start({ signal: run.stop.signal, onStatus }).then((image) => withImage(run, image, seconds()), (error) => withProblem(run, error, seconds()));
  followed.delete(entry.name);
  if (!(ended.state === "problem" && how.before?.state === "image")) keep(ended);
  else keep(how.before); // an image that is there is not lost because asking for it again failed
  stage.ended(run, ended);
  return ended;
}

function withImage(run, { id, answer }, seconds) {
  const replayed = !run.resumed && answer.headers.get("Idempotent-Replayed") === "true";
  if (!replayed && !run.resumed) learn(seconds);
  return { ...run.entry, state: "image", id, seconds, replayed, problem: null, answer: plain(answer) };
}

function withProblem(run, error, seconds) {
  const stopped = run.stop.signal.aborted, { code, status, title, detail, billed, action, requestId, errors, image, imageId } = error;
  const problem = stopped ? stopping(run) : code ? { code, status, title, detail, billed, action, requestId, errors, image } : bug(error);
  const answer = error.answer ? plain(error.answer) : null;
  return { ...run.entry, state: "problem", id: imageId ?? run.status?.id ?? run.entry.id, seconds, problem, answer, replayed: answer?.headers.some(([name]) => name === "idempotent-replayed") };
}

const plain = ({ status, headers, body }) => ({ status, headers: [...headers], body });

const stopping = ({ entry, status }) => ({
  code: "stopped", title: "You stopped waiting", billed: "maybe", detail: "The generation goes on without you.",
  action: entry.key || status?.id ? "Look for it later: if the image was made, you get it for free." : "Without an Idempotency-Key there is no way to ask for it again.",
});

const bug = (error) => ({ code: "page-error", title: "This page failed", detail: String(error), billed: "maybe", action: "Reload the page: what was asked for is written down." });

/** Go on with everything that has not ended: when the page is opened, and when a credential is given. */
export function resumeAll() {
  if (needsCredential && !credential()) return;
  const waiting = client.pending().filter(({ name }) => !followed.has(name)).sort((a, b) => b.at - a.at);
  waiting.forEach((record, index) => {
    const { name, key, body, at, id } = record, entry = entryOf(name) ?? keep({ name, key, body, at, id, state: "running" });
    resume(entry, { visible: index === 0 && entry.state === "running" });
  });
  const lost = entries().filter(({ name, state }) => state === "running" && !followed.has(name));
  lost.forEach((entry) => follow(entry, { resumed: true }, (options) => askedBefore(entry, options)));
}

/** Follow one entry that another tab or an earlier page began. */
export function resume(entry, how = {}) {
  return follow(entry, { resumed: true, ...how }, (options) => client.resume({ name: entry.name, ...options })[0]?.image ?? askedBefore(entry, options));
}

/* It has ended, and this browser did not see how. With its key, or its id, that can be asked for without buying anything. */
async function askedBefore(entry, options) {
  if (entry.id) return client.get(entry.id, options);
  if (entry.key && Date.now() - entry.at < DAY_MS) return client.generate({ ...orderOf(entry), ...options });
  throw Object.assign(new Error(), { code: "no-answer", title: "No answer came", detail: "The page was closed before the answer.", billed: "maybe", action: "A new key buys a new image." });
}

/** See what became of it, free of charge: by its id, which also asks the vendor's history, else with its key. */
export async function lookAgain(entry) {
  const order = { ...entry, background: false };
  if (!entry.id) return send(order);
  return follow(keep({ ...entry, state: "running", at: Date.now() }), { visible: true, foreground: true, before: entry }, (options) =>
    client.get(entry.id, options).catch((error) => entry.key ? client.generate({ ...orderOf(order), ...options }) : Promise.reject(error)));
}

/** Return the entry with a newly signed URL. */
export async function renewed(entry) {
  const { resource } = await client.get(entry.id);
  return keep({ ...entry, answer: { ...entry.answer, body: { ...entry.answer.body, ...resource } } });
}
