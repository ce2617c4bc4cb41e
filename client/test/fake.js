/* A small image service: it remembers keys, counts bills, and answers as it is told to first. */
import { once } from "node:events";
import { createServer } from "node:http";

export class Service {
  static async start() {
    const made = new Service();
    made.server = createServer((request, response) => made.#answer(request, response));
    await once(made.server.listen(0, "127.0.0.1"), "listening");
    made.url = `http://127.0.0.1:${made.server.address().port}/`;
    return made;
  }

  images = new Map(); // id → resource
  keys = new Map(); // key → {id, text}
  calls = []; // "METHOD path" of everything but /health
  posts = []; // what each POST /v1/images carried
  puts = [];
  scripts = []; // one for each coming call: "reset", "late" (done, then reset), or {status, headers, body}
  pollsUntilDone = 1;
  uploads = true;

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  get bills() {
    return this.images.size;
  }

  async #answer(request, response) {
    const chunks = await Array.fromAsync?.(request) ?? await collected(request), text = Buffer.concat(chunks).toString();
    const { pathname, searchParams } = new URL(request.url, this.url);
    if (pathname === "/health") return send(response, 200, { status: "ok" });
    this.calls.push(`${request.method} ${request.url}`);
    const script = this.scripts.shift();
    if (script === "reset") return request.socket.destroy();
    if (script && script !== "late") return send(response, script.status, script.body, script.headers);
    const [status, body, headers] = this.#served(request, pathname, searchParams, text, chunks);
    if (script === "late") return request.socket.destroy();
    return send(response, status, body, headers);
  }

  #served(request, path, query, text, chunks) {
    if (request.method === "PUT") return this.puts.push({ headers: request.headers, bytes: Buffer.concat(chunks) }) && [200, {}];
    if (path === "/v1/uploads") return this.uploads ? [200, { method: "PUT", url: `${this.url}bucket/1`, headers: { "content-type": JSON.parse(text).contentType }, gsUri: "gs://uploads/references/1.png" }] : [404, problem("not-found", 404)];
    if (path === "/v1/images") return this.#create(request, text);
    const found = this.images.get(path.split("/")[3]);
    if (!found) return [404, problem("not-found", 404)];
    if (request.headers.accept === "image/png") return [200, "the bytes", { "content-type": "image/png" }];
    if (query.has("wait") && this.pollsUntilDone-- > 1) return [200, { ...found, status: "running", image: undefined }];
    return [200, this.#signed(found)];
  }

  #create(request, text) {
    const key = request.headers["idempotency-key"], known = this.keys.get(key);
    this.posts.push({ headers: request.headers, body: JSON.parse(text) });
    if (known && known.text !== text) return [422, problem("idempotency-key-reused", 422)];
    const id = known?.id ?? `image${this.images.size + 1}`;
    if (!known) this.images.set(id, { id, status: "succeeded", request: JSON.parse(text), image: { contentType: "image/png" } });
    if (key) this.keys.set(key, { id, text });
    const place = { location: `/v1/images/${id}` };
    if (request.headers.prefer && !known) return [202, { id, status: "queued" }, place];
    return [200, this.#signed(this.images.get(id)), place];
  }

  #signed(resource) {
    this.signed = (this.signed ?? 0) + 1;
    const { lives = 3_600_000 } = this;
    return { completedAt: new Date().toISOString(), ...resource, image: { ...resource.image, url: `${this.url}signed/${this.signed}`, urlExpiresAt: new Date(Date.now() + lives).toISOString() } };
  }
}

export const problem = (code, status, more) => ({ type: `/problems/${code}`, title: code, status, detail: "in detail", code, requestId: "r1", billed: "no", action: "do something", ...more });

/** A storage as localStorage is, that also says when each key was written. */
export class Memory extends Map {
  get length() { return this.size; }
  key(index) { return [...this.keys()][index]; }
  getItem(name) { return this.get(name) ?? null; }
  setItem(name, text) { this.set(name, text); }
  removeItem(name) { this.delete(name); }
}

async function collected(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

function send(response, status, body, headers = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
}
