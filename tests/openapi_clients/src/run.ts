// Prints what each client saw of the service at the address in argv.
import { run as heyApi } from "./hey_api";
import { run as openapiFetch } from "./openapi_fetch";

const url = process.argv[2];
if (!url) throw new Error("usage: run.ts URL");
console.log(JSON.stringify({ "openapi-fetch": await openapiFetch(url), "hey-api": await heyApi(url) }));
