// openapi-typescript and openapi-fetch: an image, the same again, its bytes, and a refusal.
import createClient from "openapi-fetch";
import type { paths } from "../generated/schema";

export async function run(baseUrl: string): Promise<string[]> {
  const client = createClient<paths, `application/${string}`>({ baseUrl });
  const header = { "Idempotency-Key": "openapi-fetch" };
  const body = { promptText: "a lighthouse in fog", referenceImages: [] };
  const made = await client.POST("/v1/images", { params: { header }, body });
  if (!made.data) throw new Error(made.error.detail);
  const path = { image_id: made.data.id };
  const again = await client.GET("/v1/images/{image_id}", { params: { path, query: { wait: 1 } } });
  const bytes = await client.POST("/v1/images", {
    params: { header }, body, headers: { Accept: "image/*" }, parseAs: "blob",
  });
  const refused = await client.POST("/v1/images", { body: { promptText: "", referenceImages: [] } });
  return [made.data.status, again.data?.image?.contentType ?? "none", bytes.data?.type ?? "none", refused.error?.code ?? "none"];
}
