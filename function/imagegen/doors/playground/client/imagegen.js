/* The client: a request's key is written down before the request is sent. imagegen.d.ts explains each method. */
import { GeneratedImage } from "./image.js";
import { dataUri, identity, tagged, warnings } from "./references.js";
import { ImageProblem, problem, refusal, silence, tooLong } from "./problems.js";

export { GeneratedImage, ImageProblem, warnings };

const POLL_SECONDS = 25, SYNC_SECONDS = 240, MAX_PAUSE_SECONDS = 60, MAX_WAIT_SECONDS = 900, DAY_MS = 86_400_000;
const PATIENCE = 8; // answers lost in a row while online
const MAX_DATA_URI = 5 * 1024 * 1024;
const PENDING = "imagegen:pending:";

export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export class ImageClient {
  constructor(options) {
    const { url, storage = pageStorage(), retries = 3, background = true, onWarning = (all) => all.forEach(({ text }) => console.warn(text)) } = options;
    Object.assign(this, options, { url: new URL(String(url).replace(/\/?$/, "/"), globalThis.location?.href).href, storage, retries, background, onWarning });
  }

  async generate({ prompt, references = [], ratio, key, name = key ?? newKey(), ...options }) {
    if (key === undefined && !this.storage) throw new TypeError("Give a key that you keep, or a storage: else an image could be paid twice.");
    const wish = JSON.stringify([prompt, ratio, references.map(identity)]), known = this.#read(name);
    const doubts = warnings({ prompt, references });
    if (doubts.length) this.onWarning(doubts);
    const fresh = known?.wish === wish ? known : { name, key: key === null ? null : name, wish, at: Date.now(), background: options.background };
    return this.#follow({ ...fresh, body: fresh.body ?? await this.#body(prompt, references, ratio, options) }, options);
  }

  resume({ name, ...options } = {}) {
    return this.pending().filter((record) => name === undefined || record.name === name).map((record) => {
      const image = this.#resumed(record, options);
      image.catch(() => {});
      return { ...record, image };
    });
  }

  pending() {
    const names = Array.from({ length: this.storage?.length ?? 0 }, (_, index) => this.storage.key(index));
    return names.filter((name) => name.startsWith(PENDING)).map((name) => this.#read(name.slice(PENDING.length))).filter(Boolean);
  }

  forget(name) {
    this.storage?.removeItem(PENDING + name);
  }

  async get(id, options = {}) {
    return this.#image(await this.#ask(`v1/images/${id}`, {}, options));
  }

  async upload(file, signal) {
    const small = file.size * 4 / 3 + 64 < MAX_DATA_URI;
    const answer = await this.#ask("v1/uploads", { method: "POST", body: JSON.stringify({ contentType: file.type }) }, { signal });
    if (answer.ok) {
      const { url, gsUri, ...init } = answer.body;
      const put = await this.#fetch(url, { ...init, body: file, signal }).catch(() => signal?.throwIfAborted());
      if (put?.ok) return gsUri;
    } else if (answer.status !== 404) throw problem(answer);
    if (small) return dataUri(file);
    throw refusal("upload-failed", "The file could not be uploaded", "Try a smaller file.");
  }

  async send(path, { headers, ...init } = {}) {
    const token = typeof this.credential === "function" ? await this.credential() : this.credential;
    const known = { Accept: "application/json", ...(init.body && { "Content-Type": "application/json" }), ...(token && { Authorization: `Bearer ${token}` }) };
    return this.#fetch(new URL(path, this.url), { ...init, headers: { ...known, ...headers } });
  }

  #fetch(url, init) {
    return (this.fetch ?? globalThis.fetch)(url, init);
  }

  async #body(promptText, references, ratio, { signal, onStatus }) {
    const referenceImages = [];
    for (const { tag, image } of tagged(promptText, references)) {
      if (image === "") throw refusal("invalid-request", `@${tag} is empty`, "Give it a file or a URL.");
      if (image instanceof Blob) onStatus?.({ status: "uploading", tag });
      const uri = image instanceof Blob ? await this.upload(image, signal) : image && String(image);
      referenceImages.push({ tag, ...(uri && { uri }) });
    }
    return { promptText, referenceImages, ...(ratio && { ratio }) };
  }

  async #resumed(record, options) {
    if (record.id || (record.key && Date.now() - record.at < DAY_MS)) {
      return this.#follow(record, { ...options, onStatus: (status) => options.onStatus?.(status, record) });
    }
    this.forget(record.name);
    throw silence("maybe", "A new key buys a new image.");
  }

  async #follow(record, options) {
    const { name, key, body } = record, more = { key, name, request: body };
    this.#write(record);
    let answer = record.id ? await this.#poll(record, options) : await this.#post(record, options);
    for (let waited = 0; answer.ok && ["queued", "running"].includes(answer.body.status);) {
      if (!record.id) this.#write(record, { id: answer.body.id });
      if (waited >= (options.maxWaitSeconds ?? MAX_WAIT_SECONDS) * 1000) throw tooLong(answer.body, more);
      options.onStatus?.(answer.body);
      const asked = Date.now();
      answer = await this.#poll(record, options);
      if (Date.now() - asked < 1000 && !answer.body?.completedAt) await pause(1, options.signal);
      waited += Math.min(Date.now() - asked, POLL_SECONDS * 1000); // asleep is not waiting
    }
    if (answer.ok || record.ended || answer.status === 410 || (answer.status === 404 && Date.now() - record.at > DAY_MS)) this.forget(name);
    return this.#image(answer, more);
  }

  async #post(record, options) {
    const { key, name, body, sent } = record, background = options.background ?? record.background ?? this.background;
    if (!sent) { // not even reached, twice (a page that is left loses one answer): nothing was sent
      await this.#ask("health", {}, { ...options, patience: this.retries || 1, raw: true }).catch((error) => { this.forget(name); throw error; });
    }
    this.#write(record, { sent: true });
    options.onStatus?.({ status: "sending" });
    let unsure = sent; // an earlier try may have been heard
    const answer = await this.#ask("v1/images", {
      method: "POST", body: JSON.stringify(body),
      headers: { ...(key && { "Idempotency-Key": key }), ...(background && { Prefer: "respond-async" }) },
    }, { ...options, seconds: background ? POLL_SECONDS : SYNC_SECONDS, billed: "maybe", keyless: !key, lost: () => { unsure = true; } });
    record.ended = !key || (answer.body?.code && answer.body.code !== "internal" && (!unsure || answer.headers.has("Location")));
    return answer;
  }

  #poll({ id }, options) {
    return this.#ask(`v1/images/${id}?wait=${POLL_SECONDS}`, {}, { ...options, seconds: POLL_SECONDS, billed: "maybe" });
  }

  /* Repeats what got lost, but no POST without a key, and what the service lets be repeated. */
  async #ask(path, init, { signal, onStatus, seconds = 0, patience = PATIENCE, billed = "no", keyless, raw, lost }) {
    for (let tries = 0, silent = 0; ;) {
      let wait, status = "offline";
      try {
        const limit = AbortSignal.timeout((seconds + 20) * 1000);
        const answer = await read(await this.send(path, { ...init, signal: AbortSignal.any([limit, signal].filter(Boolean)) }));
        wait = Number(answer.headers.get("Retry-After")) || backoff(tries);
        if (raw || answer.ok || !mayRepeat(answer, keyless) || tries++ >= this.retries || wait > MAX_PAUSE_SECONDS) return answer;
        status = "waiting";
      } catch (error) {
        signal?.throwIfAborted();
        lost?.();
        silent = online() ? silent + 1 : 0;
        if (keyless || silent > patience) throw silence(billed, undefined, error);
        wait = online() ? backoff(silent) : 5;
      }
      onStatus?.({ status, seconds: wait });
      await pause(wait, signal);
    }
  }

  #image(answer, more) {
    if (answer.ok && answer.body.image) return new GeneratedImage(this, answer.body, { ...more, answer });
    throw problem(answer, more);
  }

  #read(name) {
    try { return JSON.parse(this.storage.getItem(PENDING + name)); } catch { return null; }
  }

  #write(record, change) {
    Object.assign(record, change);
    try {
      this.storage?.setItem(PENDING + record.name, JSON.stringify(record));
    } catch (cause) {
      if (!record.id) throw refusal("not-written-down", "The key could not be written down", "Make room in the storage.", { cause });
    }
  }
}

async function read(response) {
  const text = await response.text(), { status, headers } = response;
  let body = null;
  try { body = JSON.parse(text); } catch { /* a proxy's words */ }
  return { status, headers, body, text, ok: response.ok && body !== null };
}

function mayRepeat({ status, headers, body }, keyless) {
  const told = headers.get("x-should-retry");
  if (keyless && !body?.code) return false;
  return told ? told === "true" : (body?.billed ?? "no") === "no" && [429, 502, 503].includes(status);
}

const online = () => globalThis.navigator?.onLine !== false;
const backoff = (tries) => Math.min(2 ** tries / 4, 15) * (.75 + Math.random() / 2);

async function pause(seconds, signal) {
  const over = new AbortController();
  let timer;
  await new Promise((done) => {
    timer = setTimeout(done, seconds * 1000);
    for (const [at, kind] of [[globalThis, "online"], [signal, "abort"]]) at?.addEventListener?.(kind, done, { signal: over.signal });
  });
  clearTimeout(timer);
  over.abort();
  signal?.throwIfAborted();
}

function pageStorage() {
  try { return globalThis.document && globalThis.localStorage; } catch { return undefined; }
}
