/* What the client promises about money and lost work, against a small service that counts what is billed. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { ImageClient, ImageProblem, newKey } from "../../function/imagegen/doors/playground/client/imagegen.js";
import { Memory, problem, Service } from "./fake.js";

let service, storage, client;
const settings = (more) => ({ url: service.url, storage, onWarning: () => {}, ...more });

beforeEach(async () => {
  mock.method(Math, "random", () => -1.49); // the shortest pauses that there are
  service = await Service.start();
  storage = new Memory();
  client = new ImageClient(settings());
});
afterEach(() => { service.stop(); mock.restoreAll(); });

const failed = async (promise) => {
  const error = await promise.then(() => assert.fail("it succeeded"), (thrown) => thrown);
  assert.ok(error instanceof ImageProblem, String(error));
  return error;
};

test("an image: queued, waited for, and nothing left to resume", async () => {
  const seen = [];
  const image = await client.generate({ prompt: "a boat", ratio: "960:960", onStatus: ({ status }) => seen.push(status) });
  assert.equal(image.id, "image1");
  assert.deepEqual(seen, ["sending", "queued"]);
  assert.deepEqual(service.posts[0].body, { promptText: "a boat", referenceImages: [], ratio: "960:960" });
  assert.equal(service.posts[0].headers.prefer, "respond-async");
  assert.deepEqual(service.calls, ["POST /v1/images", "GET /v1/images/image1?wait=25"]);
  assert.deepEqual(client.pending(), []);
});

test("the key is written down before the request is sent", async () => {
  let written;
  const watching = (url, init) => {
    if (init.method === "POST") written = [...storage.values()].map((text) => JSON.parse(text).key);
    return fetch(url, init);
  };
  await new ImageClient(settings({ fetch: watching })).generate({ prompt: "a boat" });
  assert.deepEqual(written, [service.posts[0].headers["idempotency-key"]]);
});

test("what cannot be written down is not sent", async () => {
  storage.setItem = () => { throw new Error("QuotaExceededError"); };
  const error = await failed(client.generate({ prompt: "a boat" }));
  assert.deepEqual([error.code, error.billed, service.calls.length], ["not-written-down", "no", 0]);
});

test("without a storage and without a key nothing is sent", async () => {
  await assert.rejects(new ImageClient({ url: service.url }).generate({ prompt: "a boat" }), TypeError);
  assert.equal((await new ImageClient({ url: service.url }).generate({ prompt: "a boat", key: "mine" })).key, "mine");
  assert.equal(service.bills, 1);
});

for (const script of ["reset", "late"]) {
  test(`an answer that is lost (${script}) is asked for again with the same key`, async () => {
    service.scripts = [script, script, script];
    const image = await client.generate({ prompt: "a boat" });
    assert.equal(image.id, "image1");
    assert.equal(service.bills, 1);
    assert.equal(service.calls.filter((call) => call.startsWith("POST")).length, 4);
  });
}

test("a poll that is lost is repeated", async () => {
  service.pollsUntilDone = 2;
  const first = client.generate({ prompt: "a boat", onStatus: ({ status }) => { if (status === "queued" && service.scripts.length === 0) service.scripts.push("reset"); } });
  assert.equal((await first).id, "image1");
  assert.equal(service.posts.length, 1);
});

test("a POST without a key goes out once, whatever happens", async () => {
  for (const script of ["late", { status: 502, body: "<html>", headers: { "content-type": "text/html" } }]) {
    service.calls = [];
    service.scripts = [script];
    const error = await failed(client.generate({ prompt: "a boat", key: null }));
    assert.equal(error.billed, "maybe");
    assert.deepEqual(service.calls, ["POST /v1/images"]);
  }
});

for (const [told, billed, status, calls] of [
  ["true", "no", 503, 4], ["true", "no", 400, 4], ["false", "no", 503, 1], ["false", "maybe", 504, 1],
  [null, "no", 429, 4], [null, "no", 502, 4], [null, "no", 503, 4], [null, "no", 500, 1], [null, "no", 400, 1], [null, "maybe", 504, 1], [null, "yes", 502, 1], [null, "yes", 503, 1],
]) {
  test(`x-should-retry ${told}, billed ${billed}, ${status}: ${calls} calls`, async () => {
    const headers = told ? { "x-should-retry": told } : {};
    service.scripts = Array(9).fill({ status, body: problem("some-code", status, { billed }), headers });
    const error = await failed(client.generate({ prompt: "a boat" }));
    assert.deepEqual([error.code, error.billed, error.action, error.requestId], ["some-code", billed, "do something", "r1"]);
    assert.equal(service.calls.length, calls);
    assert.deepEqual(client.pending(), []);
  });
}

test("Retry-After is obeyed, and a long one is left to the caller", async () => {
  service.scripts = [{ status: 429, body: problem("daily-limit-reached", 429), headers: { "retry-after": "61" } }];
  assert.equal((await failed(client.generate({ prompt: "a boat" }))).code, "daily-limit-reached");
  assert.equal(service.calls.length, 1);
  const waits = [];
  service.scripts = [{ status: 429, body: problem("segmind-rate-limited", 429), headers: { "retry-after": "0.05" } }];
  await client.generate({ prompt: "a boat", onStatus: (status) => waits.push(status) });
  assert.deepEqual(waits.find(({ status }) => status === "waiting"), { status: "waiting", seconds: 0.05 });
});

test("a service that cannot be reached: nothing was sent, and nothing is left to resume", async () => {
  const gone = new ImageClient(settings({ url: "http://127.0.0.1:9/", retries: 0 }));
  const error = await failed(gone.generate({ prompt: "a boat" }));
  assert.deepEqual([error.code, error.billed, error.detail, gone.pending()], ["no-answer", "no", "Nothing was sent.", []]);
});

test("a proxy's page is told as what it is, and what was sent is kept", async () => {
  service.scripts = Array(9).fill({ status: 504, body: "<h1>no</h1>", headers: { "content-type": "text/html" } });
  const error = await failed(client.generate({ prompt: "a boat" }));
  assert.deepEqual([error.code, error.billed, client.pending().length], ["not-this-service", "maybe", 1]);
  service.scripts = [];
  assert.equal((await client.resume()[0].image).id, "image1");
});

test("a refusal after an answer was lost ends nothing: the lost one may have been heard", async () => {
  service.scripts = ["late", { status: 401, body: problem("unauthenticated", 401) }];
  assert.equal((await failed(client.generate({ prompt: "a boat" }))).code, "unauthenticated");
  const [{ image }] = client.resume();
  assert.equal((await image).id, "image1");
  assert.deepEqual([service.bills, client.pending()], [1, []]);
});

for (const [status, billed] of [["queued", "no"], ["running", "maybe"]]) {
  test(`an image that stays ${status} is waited for no longer than told, and found again`, async () => {
    service.pollsUntilDone = 9;
    service.scripts = [{ status: 202, body: { id: "image1", status } }];
    const error = await failed(client.generate({ prompt: "a boat", maxWaitSeconds: 0 }));
    assert.deepEqual([error.code, error.billed, error.imageId, client.pending().length], ["still-waiting", billed, "image1", 1]);
    assert.match(error.action, /resume/);
    Object.assign(service, { pollsUntilDone: 1 }).images.set("image1", { id: "image1", status: "succeeded", image: {} });
    assert.equal((await client.resume()[0].image).id, "image1");
    assert.equal(service.posts.length, 0);
  });
}

test("a failed image is a problem with its id", async () => {
  service.scripts = [{ status: 202, body: { id: "x", status: "queued" } }, { status: 200, body: { id: "x", status: "unknown", completedAt: "now", error: problem("outcome-unknown", 504, { billed: "maybe" }) } }];
  const error = await failed(client.generate({ prompt: "a boat" }));
  assert.deepEqual([error.code, error.billed, error.imageId, client.pending()], ["outcome-unknown", "maybe", "x", []]);
});

test("who stops waiting finds the image by resume()", async () => {
  const stop = new AbortController();
  await assert.rejects(client.generate({ prompt: "a boat", signal: stop.signal, onStatus: ({ status }) => status === "queued" && stop.abort() }), { name: "AbortError" });
  const again = new ImageClient(settings()), [{ name, key, body, id, image }] = again.resume();
  assert.deepEqual([name, body.promptText, id], [key, "a boat", "image1"]);
  assert.equal((await image).id, "image1");
  assert.deepEqual([service.bills, service.posts.length, again.pending()], [1, 1, []]);
});

test("another program run with the same storage goes on where the first one died", async () => {
  const never = new ImageClient(settings({ fetch: (url, init) => init.method === "POST" ? new Promise(() => {}) : fetch(url, init) }));
  never.generate({ prompt: "a boat" });
  while (!client.pending()[0]?.sent) await new Promise(setImmediate);
  assert.equal((await client.resume()[0].image).id, "image1");
  assert.equal(service.bills, 1);
});

test("what was asked for without the background is resumed without it", async () => {
  const left = new ImageClient(settings({ fetch: (url, init) => init.method === "POST" ? new Promise(() => {}) : fetch(url, init) }));
  left.generate({ prompt: "a boat", background: false });
  while (!client.pending()[0]?.sent) await new Promise(setImmediate);
  assert.equal((await client.resume()[0].image).id, "image1");
  assert.equal(service.posts[0].headers.prefer, undefined);
});

test("what is older than a day is not sent again, and what has an id is only looked at", async () => {
  const day = 86_400_001, old = { key: "k", wish: "", body: { promptText: "a boat", referenceImages: [] }, at: Date.now() - day, sent: true };
  storage.setItem("imagegen:pending:a", JSON.stringify({ ...old, name: "a" }));
  storage.setItem("imagegen:pending:b", JSON.stringify({ ...old, name: "b", id: "image1" }));
  service.images.set("image1", { id: "image1", status: "succeeded", image: {} });
  const [a, b] = client.resume();
  assert.equal((await failed(a.image)).billed, "maybe");
  assert.equal((await b.image).id, "image1");
  assert.deepEqual([service.posts, client.pending()], [[], []]);
});

test("a request without a key that was cut off is never sent again", async () => {
  storage.setItem("imagegen:pending:a", JSON.stringify({ name: "a", key: null, body: {}, at: Date.now(), sent: true }));
  assert.equal((await failed(client.resume()[0].image)).billed, "maybe");
  assert.deepEqual(service.calls, []);
});

test("keys are new, visible and long", () => {
  assert.equal(new Set(Array.from({ length: 1000 }, newKey)).size, 1000);
  assert.match(newKey(), /^[0-9a-f]{32}$/);
});
