const { client } = await import("./built/firebase.js");
const image = await client.generate({ prompt: "a boat", key: "mine" });
console.log(JSON.stringify(image.resource.status));
process.exit(0);
