/** The image service's JavaScript client. What each method costs and keeps is said here. */

export type Ratio = "1280:720" | "720:1280" | "1104:832" | "832:1104" | "960:960" | "1584:672" | "1920:1080" | "1080:1920";
export type Billed = "no" | "maybe" | "yes";
export type ContentType = "image/jpeg" | "image/png" | "image/webp";
/** What the service answers; `/problems/CODE` explains each. */
export type ProblemCode =
  | "invalid-request" | "unauthenticated" | "forbidden" | "not-found" | "method-not-allowed" | "too-large"
  | "unsupported-media-type" | "idempotency-key-reused" | "image-deleted" | "still-generating" | "internal"
  | "daily-limit-reached" | "storage-unavailable" | "image-not-stored" | "rejected-by-segmind" | "segmind-unauthorized"
  | "segmind-forbidden" | "segmind-model-not-found" | "insufficient-credits" | "segmind-rate-limited" | "segmind-failed"
  | "segmind-unavailable" | "segmind-unreachable" | "segmind-timeout" | "outcome-unknown" | "segmind-bad-image";
/** Where the service did not speak: the client's own. */
export type ClientCode = "no-answer" | "not-this-service" | "not-written-down" | "upload-failed" | "still-waiting";

/** A file, or the address of an image. A reference without a tag gets the first `@tag` of the prompt that is still free. */
export type Reference = Blob | string | URL | { tag?: string; image?: Blob | string | URL };

/** The body of `POST /v1/images`. */
export interface ImageBody {
  promptText: string;
  ratio?: Ratio;
  referenceImages: ReferenceBody[];
}

export interface ReferenceBody {
  tag: string;
  uri?: string;
}

/** What was asked for, as an image resource tells it: without the references' URIs. */
export interface ImageRequest {
  promptText: string;
  ratio: Ratio;
  referenceImages: { tag: string }[];
}

/** The image resource, as `GET /v1/images/{id}` answers it. */
export interface ImageResource {
  id: string;
  status: "queued" | "running" | "succeeded" | "failed" | "unknown";
  createdAt: string;
  completedAt?: string;
  request: ImageRequest;
  image?: StoredImage;
  segmind?: Receipt;
  error?: Problem;
}

export interface StoredImage {
  url: string | null;
  urlExpiresAt: string | null;
  gsUri: string;
  contentType: ContentType;
  bytes: number;
  sha256: string;
  width: number;
  height: number;
}

export interface Receipt {
  requestId: string | null;
  costUsd: number | null;
  remainingCredits: number | null;
  generationSeconds: number | null;
}

/** A problem document (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  requestId: string;
  billed: Billed;
  action: string;
  errors?: FieldProblem[];
  /** `image-not-stored` only, in its first answer: the only copy of a paid image. */
  image?: { dataUri: string; contentType: ContentType; bytes: number; sha256: string; width: number; height: number };
  /** On Segmind's own routes only, for its SDK. */
  error?: string;
}

/** One thing that is wrong with a request: a JSON pointer into its body, and what. */
export interface FieldProblem {
  pointer: string;
  detail: string;
}

/** An HTTP answer of the service, as it came. */
export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** What happens meanwhile. `offline`: no connection, tried again by itself; `waiting`: the service asked to come again. */
export type Status =
  | { status: "uploading"; tag: string }
  | { status: "sending" }
  | { status: "offline" | "waiting"; seconds: number }
  | (ImageResource & { status: "queued" | "running" });

/** What localStorage has. Kept between runs, or a key that was written down is lost with the run. */
export type KeyStorage = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

export interface ClientOptions {
  /** Where the service is, its path included. */
  url: string | URL;
  /** An API key, an OIDC token, or a function that returns a fresh one; sent as `Authorization: Bearer`. Never stored. */
  credential?: string | (() => string | undefined | Promise<string | undefined>);
  /** Where keys are written down. In a page: its localStorage, unless another is given. In Node: none. */
  storage?: KeyStorage;
  fetch?: typeof fetch;
  /** How often an answer that may be repeated free of charge is repeated; 3 unless told. */
  retries?: number;
  /** `Prefer: respond-async`: the default. Without it, or without an uploads bucket, a request lasts as long as its image. */
  background?: boolean;
  /** Told before a request that Segmind would bill without doing what it says; console.warn unless given. */
  onWarning?: (warnings: Warning[]) => void;
}

export interface Waiting {
  /** Ends the waiting, not the generation: `resume()` finds it again. */
  signal?: AbortSignal;
  onStatus?: (status: Status) => void;
  background?: boolean;
  /** How long a queued or running image is waited for, in seconds; 900 unless told. Then `still-waiting`, and `resume()` goes on. */
  maxWaitSeconds?: number;
}

export interface GenerateOptions extends Waiting {
  prompt: string;
  references?: Reference[];
  ratio?: Ratio;
  /** The Idempotency-Key. Same key and same request: the same image, paid once. `null` sends none, and is never repeated. */
  key?: string | null;
}

export interface ResumeOptions extends Omit<Waiting, "onStatus"> {
  /** Only the request that is kept under this name; all of them unless told. */
  name?: string;
  onStatus?: (status: Status, pending: Pending) => void;
}

export interface Warning {
  tag: string;
  text: string;
}

/** A request that was written down and has not ended. */
export interface Pending {
  /** What it is kept under: its key, where it has one. */
  name: string;
  key: string | null;
  body: ImageBody;
  /** When it was written down, in ms since 1970. */
  at: number;
  sent?: boolean;
  background?: boolean;
  id?: string;
}

export class ImageClient {
  constructor(options: ClientOptions);
  readonly url: string;
  /** Generates an image, $0.10; free where the key has one already. Rejects with ImageProblem, or with the signal's reason. */
  generate(options: GenerateOptions): Promise<GeneratedImage>;
  /** Goes on with everything that was written down and has not ended, at most a day old or with a known id. Pays nothing twice. */
  resume(options?: ResumeOptions): (Pending & { image: Promise<GeneratedImage> })[];
  /** Lists what was written down and has not ended. */
  pending(): Pending[];
  /** Forgets what was written down. If it was sent, its image may exist, and be paid for. */
  forget(name: string): void;
  /** Returns an image by its id. Free. Rejects with ImageProblem where there is none, or none yet. */
  get(id: string, options?: Waiting): Promise<GeneratedImage>;
  /** Uploads a file and returns its URI; a `data:` URI where the service takes no uploads and the file is small. Free. */
  upload(file: Blob, signal?: AbortSignal): Promise<string>;
  /** Sends one request to the service, with the credential, and repeats nothing. */
  send(path: string, init?: RequestInit & { headers?: Record<string, string> }): Promise<Response>;
}

export class GeneratedImage {
  readonly id: string;
  /** The key and the request it was asked for with; undefined after `get()`. */
  readonly key?: string | null;
  readonly request?: ImageBody;
  readonly resource: ImageResource & { image: StoredImage };
  readonly answer: Answer;
  /** The signed URL as it was last told; null where none could be signed. */
  get url(): string | null;
  /** A signed URL that is good for another minute at least. Asks for a new one only where it has to. */
  freshUrl(signal?: AbortSignal): Promise<string | null>;
  /** Asks for a newly signed URL. */
  refresh(signal?: AbortSignal): Promise<void>;
  /** Calls `show` with the URL, and with each new one before the last expires: `image.keep((url) => { img.src = url; })`. Returns what ends it. */
  keep(show: (url: string) => void): () => void;
  /** The image's bytes, by way of the service: no CORS rule of the bucket is needed. */
  blob(signal?: AbortSignal): Promise<Blob>;
}

/** A request that ended without an image, or may have. */
export class ImageProblem extends Error {
  readonly code: ProblemCode | ClientCode;
  readonly billed: Billed;
  /** What to do, in a sentence. */
  readonly action: string;
  readonly title: string;
  readonly detail?: string;
  readonly status?: number;
  readonly requestId?: string;
  readonly imageId?: string;
  readonly errors?: Problem["errors"];
  /** `image-not-stored` only: the only copy of a paid image. */
  readonly image?: Problem["image"];
  readonly answer?: Answer;
}

/** What Segmind would bill without doing: tags without a reference, references without a tag in the prompt or without an image. */
export function warnings(request: { prompt: string; references?: Reference[] }): Warning[];

/** A new Idempotency-Key. */
export function newKey(): string;
