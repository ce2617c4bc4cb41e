// @hey-api/openapi-ts: the same, with its generated functions.
import { createImage, getImage } from "../generated/hey";
import { client } from "../generated/hey/client.gen";

export async function run(baseUrl: string): Promise<string[]> {
  client.setConfig({ baseUrl });
  const headers = { "Idempotency-Key": "hey-api" };
  const body = { promptText: "a lighthouse in fog", referenceImages: [] };
  const made = await createImage({ headers, body });
  if (!made.data || made.data instanceof Blob) throw new Error("no resource");
  const again = await getImage({ path: { image_id: made.data.id }, query: { wait: 1 } });
  if (!again.data || again.data instanceof Blob) throw new Error("no resource");
  const bytes = await createImage({ headers: { ...headers, Accept: "image/*" } as typeof headers, body, parseAs: "blob" });
  const type = bytes.data instanceof Blob ? bytes.data.type : "none";
  const refused = await createImage({ body: { promptText: "", referenceImages: [] } });
  return [made.data.status, again.data.image?.contentType ?? "none", type, refused.error?.code ?? "none"];
}
