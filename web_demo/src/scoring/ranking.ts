/** Several photos, best first: which one to keep. */

import type { PhotoScore } from "./score_meaning.ts";

export interface Named extends PhotoScore {
  readonly name: string;
}

export interface Place<One extends Named> {
  readonly rank: number;
  readonly photo: One;
  readonly isKept: boolean;
  /** The score is so near the kept one's that the runtime's own error may have decided. */
  readonly isCloseCall: boolean;
}

/** Of equal scores the earlier photo's is first. */
export function ranked<One extends Named>(photos: readonly One[]): Place<One>[] {
  const sorted = [...photos].sort((left, right) => right.score - left.score);
  const best = sorted[0];
  return sorted.map((photo, index) => ({
    rank: index + 1,
    photo,
    isKept: index === 0,
    isCloseCall: index > 0 && best!.score - photo.score <= best!.tolerance + photo.tolerance,
  }));
}

/** The verdict in words. */
export function verdict(places: readonly Place<Named>[]): string {
  const [kept, next] = places;
  if (!kept) return "No photo was scored.";
  if (!next) return `Keep ${kept.photo.name}: the only one that was scored.`;
  const near = places.filter((place) => place.isCloseCall).map((place) => place.photo.name);
  if (near.length) return `Keep ${kept.photo.name}, or ${near.join(", ")}: too close to tell apart.`;
  const margin = kept.photo.score - next.photo.score;
  return `Keep ${kept.photo.name}: ${margin.toFixed(3)} ahead of the next of ${places.length}.`;
}
