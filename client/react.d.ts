import type { GeneratedImage, GenerateOptions, ImageClient, ImageProblem, Status } from "./imagegen.js";

export interface ImageState {
  image: GeneratedImage | null;
  /** A URL that is renewed before it expires; null until there is an image. */
  url: string | null;
  /** What happens meanwhile; null while nothing does. */
  status: Status | { status: "sending" } | null;
  problem: ImageProblem | Error | null;
}

/** Generates images for a component. What a reload or an unmount interrupted goes on when it is mounted again. */
export function useImage(client: ImageClient): ImageState & {
  generate: (request: Omit<GenerateOptions, "signal" | "onStatus">) => Promise<GeneratedImage | null>;
  /** Ends the waiting, not the generation. */
  stop: () => void;
};
