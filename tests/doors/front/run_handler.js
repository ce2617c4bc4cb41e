const { POST } = await import("./built/handler.js");
const headers = { "Content-Type": "application/json", "Idempotency-Key": "order-1", "x-user": process.argv[2] };
const request = () => new Request("http://app/api/images", { method: "POST", headers, body: process.argv[3] });
const answers = [await POST(request()), await POST(request())];
console.log(JSON.stringify(await Promise.all(answers.map(async (a) => [a.status, (await a.json()).id ?? null]))));
