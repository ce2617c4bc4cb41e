/* What this page was told of the service, and the client that asks it. */
import { ImageClient } from "./client/imagegen.js";
import { $ } from "./dom.js";
import { keys } from "./store.js";

export const settings = { auth: "none", uploads: false, fakeVendor: null, segmindApi: "v1", ...JSON.parse($("settings").textContent) };
export const base = new URL(location.pathname.replace(/\/?$/, "/"), location.origin);
export const PRICE = "$0.10";
export const BILLED = { no: "Not billed", maybe: "May have been billed", yes: "Billed" };

/** What is typed is sent, and stays in this tab's memory. */
export const credential = () => $("credential").value.trim();
export const needsCredential = ["keys", "oidc"].includes(settings.auth);

/* A person looks at each answer here, so no answer is repeated by itself; what got lost on the way is. */
export const client = new ImageClient({ url: base, credential, storage: keys, retries: 0, onWarning: () => {} });
