/* References: tags, doubts, uploads; and the image's URL, which stays good. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { ImageClient, ImageProblem, warnings } from "../../function/imagegen/doors/playground/client/imagegen.js";
import { Memory, problem, Service } from "./fake.js";

let service, client, warned;
const file = new File(["bytes"], "cat.png", { type: "image/png", lastModified: 1 });

beforeEach(async () => {
  service = await Service.start();
  warned = [];
  client = new ImageClient({ url: service.url, storage: new Memory(), onWarning: (all) => warned.push(...all.map(({ text }) => text)) });
});
afterEach(() => { service.stop(); mock.timers.reset(); });

test("a file is uploaded with what the service signed; a URL is passed on", async () => {
  await client.generate({ prompt: "@cat in @place", references: [file, "https://example.com/a.png"] });
  assert.deepEqual(service.posts[0].body.referenceImages, [{ tag: "cat", uri: "gs://uploads/references/1.png" }, { tag: "place", uri: "https://example.com/a.png" }]);
  assert.deepEqual([service.puts[0].bytes.toString(), service.puts[0].headers["content-type"]], ["bytes", "image/png"]);
  assert.deepEqual(warned, []);
});

test("where there are no uploads, or the bucket refuses, a small file travels inside the request", async () => {
  const inside = [{ tag: "cat", uri: `data:image/png;base64,${btoa("bytes")}` }];
  service.uploads = false;
  await client.generate({ prompt: "@cat", references: [file] });
  service.uploads = true;
  service.scripts = [undefined, { status: 403, body: "" }];
  await client.generate({ prompt: "@cat", references: [file] });
  assert.deepEqual(service.posts.map(({ body }) => body.referenceImages), [inside, inside]);
});

test("a large file that cannot be uploaded is a problem that cost nothing", async () => {
  const large = new File([new Uint8Array(4_000_000)], "large.png", { type: "image/png" });
  service.scripts = [undefined, { status: 403, body: "" }];
  await assert.rejects(client.generate({ prompt: "@cat", references: [large] }), { code: "upload-failed", billed: "no" });
  service.scripts = [{ status: 401, body: problem("unauthenticated", 401) }];
  await assert.rejects(client.generate({ prompt: "@cat", references: [file] }), { code: "unauthenticated" });
  assert.deepEqual(service.posts, []);
});

test("the same key and the same file: the body that was written down, though an upload gets a new name", async () => {
  const ask = { prompt: "@cat", references: [file], key: "k" }, stop = new AbortController();
  await assert.rejects(client.generate({ ...ask, signal: stop.signal, onStatus: ({ status }) => status === "queued" && stop.abort() }));
  assert.equal((await client.generate(ask)).id, "image1");
  assert.deepEqual([service.puts.length, service.bills], [1, 1]);
});

test("the same key for another request is the service's to refuse", async () => {
  await client.generate({ prompt: "a boat", key: "k" });
  await assert.rejects(client.generate({ prompt: "a ship", key: "k" }), { code: "idempotency-key-reused", billed: "no" });
});

test("an empty reference is refused before anything is sent", async () => {
  await assert.rejects(client.generate({ prompt: "@cat", references: [{ tag: "cat", image: "" }] }), (error) => error instanceof ImageProblem && error.billed === "no" && error.title.includes("@cat is empty"));
  assert.deepEqual(service.calls, []);
});

test("what would be billed without doing what it says is told before", async () => {
  await client.generate({ prompt: "@cat and mail@example.com", references: [{ tag: "dog", image: "https://example.com/a.png" }, { tag: "sky" }] });
  assert.deepEqual(warned, ["No reference is tagged @cat.", "The prompt does not name @dog.", "The prompt does not name @sky.", "@sky has no image."]);
  assert.deepEqual(warnings({ prompt: "@cat", references: ["https://example.com/a.png"] }), []);
  assert.deepEqual(warnings({ prompt: "a boat" }), []);
});

test("a URL is signed anew a minute before it expires, and not earlier", async () => {
  const image = await client.generate({ prompt: "a boat" }), first = image.url;
  assert.equal(await image.freshUrl(), first);
  image.resource.image.urlExpiresAt = new Date(Date.now() + 59_000).toISOString();
  const second = await image.freshUrl();
  assert.notEqual(second, first);
  assert.equal(image.url, second);
});

test("keep() shows each URL once, a new one before the last expires, until it is ended", async () => {
  const image = await client.generate({ prompt: "a boat" }), shown = [];
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() });
  const end = image.keep((url) => shown.push(url)), turned = async (count) => { while (shown.length < count) await new Promise(setImmediate); };
  await turned(1);
  await new Promise(setImmediate);
  mock.timers.tick(3_500_000);
  assert.equal(shown.length, 1);
  mock.timers.tick(60_000);
  await turned(2);
  end();
  mock.timers.tick(9_000_000);
  await new Promise(setImmediate);
  assert.equal(new Set(shown).size, 2);
});

test("the bytes come by way of the service", async () => {
  const blob = await (await client.generate({ prompt: "a boat" })).blob();
  assert.deepEqual([await blob.text(), blob.type], ["the bytes", "image/png"]);
});

test("a credential is asked for each time, sent as a bearer token, and not written down", async () => {
  let count = 0;
  const storage = new Memory(), asked = new ImageClient({ url: service.url, storage, credential: async () => `token-${count += 1}` });
  storage.setItem = (name, text) => { assert.ok(!text.includes("token-")); storage.set(name, text); };
  await asked.generate({ prompt: "a boat" });
  assert.equal(service.posts[0].headers.authorization, "Bearer token-2");
});
