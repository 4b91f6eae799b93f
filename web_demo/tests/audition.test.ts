/** WebGPU is admitted by its scores alone: too far off, no number, or pictures that prove nothing are refused with the figure. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal } from "../src/refusal.ts";
import { audition } from "../src/scoring/audition.ts";
import type { Runner } from "../src/scoring/runner.ts";
import type { Views } from "../src/pixels/views.ts";
import { bytes, rgba, vectors } from "./vectors.ts";

const SPEC = { authenticSidePx: 32, syntheticView: "crop", syntheticCropPx: 64 } as const;
const TILE = { ...vectors<{ width: number; height: number }>("tile"), rgba: rgba(bytes("tile.rgb")) };
const ALLOWED = 0.005;

/** Scores by how bright the crop is, plus what `wrong` says of the picture's number. */
class Fake implements Runner {
  readonly runtime = "fake";
  readonly threads = 1;
  readonly fallback = "";
  closed = false;
  private asked = 0;

  constructor(private readonly wrong: (picture: number) => number = () => 0) {}

  async run(views: Views) {
    const mean = views.synthetic!.reduce((sum, value) => sum + value, 0) / views.synthetic!.length / 255;
    return { score: mean + this.wrong(this.asked++), bufferMs: 0, inferenceMs: 1 };
  }

  async close() {
    this.closed = true;
  }
}

async function asked(candidate: Fake, reference = new Fake()) {
  const names = ["authentic", "synthetic"] as const;
  const admitted = audition(
    async () => candidate,
    async () => reference,
    TILE,
    SPEC,
    names,
    ALLOWED,
    "WebGPU",
  );
  return admitted.finally(() => assert.ok(reference.closed)); // never two models in memory for long
}

test("scores within the tolerance are admitted, and the worst is told", async () => {
  const candidate = new Fake((picture) => (picture === 2 ? 0.004 : 1e-5));
  const { runner, audition } = await asked(candidate);
  assert.equal(runner, candidate);
  assert.ok(!candidate.closed && audition.pictures === 5 && audition.picture === "noisy");
  assert.ok(Math.abs(audition.worst - 0.004) < 1e-9);
});

for (const [what, wrong] of [
  ["too far off", 0.006],
  ["not a number", NaN],
] as const) {
  test(`a score that is ${what} in one picture alone is refused with the figure`, async () => {
    const candidate = new Fake((picture) => (picture === 0 ? wrong : 0));
    await assert.rejects(asked(candidate), (error) => {
      assert.ok(error instanceof Refusal);
      assert.match(error.sentence, /^WebGPU is not used on this device: it scores the generated picture 'dark' /);
      assert.match(error.sentence, /expected 0\.\d{6} within 0\.005; choose WASM$/);
      return candidate.closed;
    });
  });
}

test("pictures that all score alike prove nothing, and the accelerator is refused", async () => {
  class Constant extends Fake {
    override async run() {
      return { score: 0.5, bufferMs: 0, inferenceMs: 1 };
    }
  }
  await assert.rejects(
    asked(new Constant(), new Constant()),
    /WebGPU cannot be judged: .* score alike in this model \(within 0\)/,
  );
});
