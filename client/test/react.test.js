/* The hook: an image, a problem, a stop, and what an unmount interrupted. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createElement, StrictMode } from "react";
import { act, create } from "react-test-renderer";
import { ImageClient } from "../../function/imagegen/doors/playground/client/imagegen.js";
import { useImage } from "../react.js";
import { Memory, problem, Service } from "./fake.js";

globalThis.IS_REACT_ACT_ENVIRONMENT = true;
let service, client, now, mounted;

function Probe() {
  now = useImage(client);
  return null;
}

const mount = () => act(async () => { mounted = create(createElement(StrictMode, null, createElement(Probe))); });
const until = (seen) => act(async () => { while (!seen()) await new Promise((resolve) => setTimeout(resolve, 5)); });

beforeEach(async () => {
  service = await Service.start();
  client = new ImageClient({ url: service.url, storage: new Memory() });
  await mount();
});
afterEach(async () => { await act(async () => mounted.unmount()); service.stop(); });

test("generate() leads to a URL, and says what happens meanwhile", async () => {
  assert.deepEqual([now.url, now.status, now.problem], [null, null, null]);
  let made;
  await act(async () => { made = now.generate({ prompt: "a boat" }); });
  await until(() => made && service.bills);
  const image = await act(() => made);
  assert.equal(image.id, "image1");
  assert.match(now.url, /signed/);
  assert.equal(now.status, null);
});

test("a problem is state, not an exception", async () => {
  service.scripts = [{ status: 400, body: problem("invalid-request", 400) }];
  assert.equal(await act(() => now.generate({ prompt: "" })), null);
  assert.deepEqual([now.problem.code, now.url], ["invalid-request", null]);
});

test("what an unmount interrupted goes on when it is mounted again, with one bill", async () => {
  service.pollsUntilDone = 1e9;
  let made;
  await act(async () => { made = now.generate({ prompt: "a boat" }); });
  await act(async () => { while (!client.pending()[0]?.id) await new Promise((resolve) => setTimeout(resolve, 5)); });
  await act(async () => mounted.unmount());
  assert.equal(await made, null);
  service.pollsUntilDone = 1;
  await mount();
  await act(async () => { while (client.pending().length) await new Promise((resolve) => setTimeout(resolve, 5)); });
  assert.match(now.url, /signed/);
  assert.deepEqual([service.bills, service.posts.length], [1, 1]);
});

test("stop() ends the waiting; the request stays written down", async () => {
  service.pollsUntilDone = 1e9;
  await act(async () => { now.generate({ prompt: "a boat" }); });
  await act(async () => { while (!client.pending()[0]?.id) await new Promise((resolve) => setTimeout(resolve, 5)); });
  await act(async () => now.stop());
  assert.deepEqual([now.status, now.problem, client.pending().length], [null, null, 1]);
});
