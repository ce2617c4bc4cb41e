// Compiled, never run: the types take what the README shows, and refuse what would cost money for nothing.
import { ImageClient, ImageProblem, type GeneratedImage } from "../imagegen.js";
import { useImage } from "../react.js";

const client = new ImageClient({ url: "https://images.example.com", credential: async () => "token" });
const made: Promise<GeneratedImage> = client.generate({ prompt: "@cat asleep", references: [new Blob(), { tag: "cat", image: "https://example.com/cat.png" }], ratio: "960:960", key: "order-1" });
made.then(async (image) => { const url: string | null = await image.freshUrl(); image.keep((fresh: string) => fresh); return url; });
made.catch((error: unknown) => { if (error instanceof ImageProblem && error.billed === "no") { const todo: string = error.action; return todo; } return null; });
const { url, generate } = useImage(client);
const shown: string | null = url;
generate({ prompt: shown ?? "" });
// @ts-expect-error a size that Segmind does not know
client.generate({ prompt: "", ratio: "1:1" });
// @ts-expect-error a prompt is needed
client.generate({});
