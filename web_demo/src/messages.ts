/** What the page and its worker say to each other. */

import type { Artifact } from "./manifest/artifact.ts";
import type { Manifest } from "./manifest/manifest.ts";
import type { Views } from "./pixels/views.ts";
import type { PhotoScore } from "./scoring/score_meaning.ts";
import type { Loaded, LoadRequest, PhotoInput, Timed } from "./scoring/scorer.ts";
import type { ScoringState } from "./scoring/scoring_state.ts";

export type Request =
  | { readonly id: number; readonly kind: "load"; readonly request: LoadRequest; readonly name: string }
  | { readonly id: number; readonly kind: "score" | "views"; readonly photo: PhotoInput; readonly name: string };

export type Answer =
  | { readonly id: number; readonly kind: "state"; readonly state: ScoringState }
  | { readonly id: number; readonly kind: "listed"; readonly artifacts: readonly Artifact[] }
  | LoadedAnswer
  | ScoredAnswer
  | ViewsAnswer
  | { readonly id: number; readonly kind: "refused"; readonly sentence: string };

export interface LoadedAnswer {
  readonly id: number;
  readonly kind: "loaded";
  readonly loaded: Loaded;
  readonly manifest: Manifest;
  readonly artifacts: readonly Artifact[];
  readonly artifact: Artifact;
}

export interface ScoredAnswer {
  readonly id: number;
  readonly kind: "scored";
  readonly score: PhotoScore;
  readonly timed: Timed;
  readonly thumbnail: ImageBitmap | null;
}

export interface ViewsAnswer {
  readonly id: number;
  readonly kind: "views";
  readonly views: Views;
}
