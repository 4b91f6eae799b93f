/** What the page is doing; each state has a sentence. */

import { passedSentence, type SelfTest } from "./self_test.ts";

export type ScoringState =
  | { readonly name: "Loading"; readonly file: string; readonly fraction: number | null }
  | { readonly name: "Self-test" }
  | { readonly name: "Ready"; readonly selfTest: SelfTest; readonly note: string }
  | { readonly name: "Scoring"; readonly photo: string; readonly number: number; readonly of: number }
  | { readonly name: "Failed"; readonly reason: string };

export function stateSentence(state: ScoringState): string {
  switch (state.name) {
    case "Loading":
      return state.fraction === null
        ? `Opening ${state.file}.`
        : `Fetching ${state.file}: ${Math.floor(state.fraction * 100)} %.`;
    case "Self-test":
      return "The golden photo is being scored and compared with PyTorch.";
    case "Ready":
      return passedSentence(state.selfTest) + (state.note && ` ${state.note}`);
    case "Scoring":
      return `Scoring ${state.number} of ${state.of}: ${state.photo}`;
    case "Failed":
      return state.reason;
  }
}
