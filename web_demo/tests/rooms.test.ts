/** The rooms without a browser, held against what the Python side made: every pixel, sum, percentile and sentence. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Artifact } from "../src/manifest/artifact.ts";
import { parseManifest } from "../src/manifest/manifest.ts";
import { bytesInWords } from "../src/manifest/python_words.ts";
import { arithmeticOf, toleranceOf } from "../src/manifest/tolerances.ts";
import { percentile } from "../src/benchmark/statistics.ts";
import { GoldenPhoto } from "../src/pixels/golden_photo.ts";
import { PixelPhoto } from "../src/pixels/photo.ts";
import { ResizedRows } from "../src/pixels/pillow_resize.ts";
import * as refuse from "../src/pixels/photo_refusal.ts";
import { viewsOf } from "../src/pixels/views.ts";
import { Refusal } from "../src/refusal.ts";
import { meaningOf } from "../src/scoring/score_meaning.ts";
import { ranked, verdict } from "../src/scoring/ranking.ts";
import { short } from "../src/scoring/self_test.ts";
import { refuseWithoutSimd } from "../src/scoring/simd.ts";
import { bytes, decoded, type Pixels, sha256, vectors } from "./vectors.ts";

const SPEC = { authenticSidePx: 384, syntheticView: "crop", syntheticCropPx: 1280 } as const; // of the golden packs
const BOTH = ["authentic", "synthetic"] as const;
const TILE = (() => {
  const rgb = bytes("tile.rgb");
  const size = vectors<{ width: number; height: number }>("tile");
  const rgba = new Uint8Array(size.width * size.height * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) rgba.set(rgb.subarray(from, from + 3), to);
  return { ...size, rgba };
})();

interface Size {
  readonly width: number;
  readonly height: number;
}

test("both views of photos from 32x5000 to 48 megapixels are Pillow's and torchvision's, byte for byte", async () => {
  const { photos } = vectors<{ photos: (Size & { photo: string; authentic: string; synthetic: string })[] }>("views");
  assert.equal(photos.length, 6);
  for (const { width, height, ...sums } of photos) {
    const golden = new GoldenPhoto(TILE, width, height);
    const views = await viewsOf(golden, SPEC, BOTH);
    assert.equal(sha256(views.authentic!), sums.authentic, `authentic of ${width}x${height}`);
    assert.equal(sha256(views.synthetic!), sums.synthetic, `synthetic of ${width}x${height}`);
  }
});

test("the golden pack's views are Python's", async () => {
  for (const { from, authentic, synthetic } of vectors<{ from: Pixels; authentic: string; synthetic: string }[]>(
    "pack",
  )) {
    const views = await viewsOf(new PixelPhoto(from.width, from.height, decoded(from)), SPEC, BOTH);
    assert.deepEqual([sha256(views.authentic!), sha256(views.synthetic!)], [authentic, synthetic]);
  }
});

test("a view that no branch asks for is not made", async () => {
  const photo = new GoldenPhoto(TILE, 640, 480);
  assert.deepEqual(Object.keys(await viewsOf(photo, SPEC, ["synthetic"])), ["synthetic"]);
});

test("random pictures, where every rounding shows, are resized as Pillow does, up and down", () => {
  const rows = vectors<{ kind: string; from: Pixels; to: Pixels }[]>("resize").filter(({ kind }) => kind === "square");
  assert.equal(rows.length, 20);
  for (const { from, to } of rows) {
    const resized = new ResizedRows(from.width, from.height, to.width, to.height);
    const pixels = decoded(from);
    const half = from.height >> 1; // in two bands
    resized.take(pixels, 0, half);
    resized.take(pixels.subarray(half * from.width * 4), half, from.height - half);
    assert.equal(Buffer.from(resized.rgb).toString("base64"), to.pixels, `${from.width}x${from.height} to ${to.width}`);
  }
});

test("percentiles are numpy's", () => {
  for (const { samples, percentiles } of vectors<{ samples: number[]; percentiles: number[] }[]>("quantiles")) {
    [0, 50, 90, 95, 99, 100].forEach((percent, i) => {
      assert.ok(Math.abs(percentile(samples, percent) - percentiles[i]!) < 1e-9);
    });
  }
});

interface Sentences {
  readonly manifests: Record<string, { json: string; sentence: string }>;
  readonly photos: Record<string, { base64: string; sentence: string }>;
  readonly "too small": string;
  readonly "too large": string;
  readonly kinds: string;
}
const SENTENCES = vectors<Sentences>("sentences");

for (const [name, { json, sentence }] of Object.entries(SENTENCES.manifests)) {
  test(`a manifest with ${name} is refused in Python's words`, () => {
    assert.equal(
      refusal(() => parseManifest(json, "lariqa.json")),
      sentence,
    );
  });
}

test("a manifest that is no JSON, or whose tolerances are no numbers, is refused", () => {
  assert.match(
    refusal(() => parseManifest("{", "lariqa.json")),
    /^lariqa\.json is not JSON: .+; export again, into another folder$/,
  );
  const good = JSON.parse(Object.values(SENTENCES.manifests)[0]!.json);
  const zero = { ...good, schema: "lariqa-manifest/2", tolerances: { float32: 0, float16: 1, int8: 1 } };
  assert.match(
    refusal(() => parseManifest(JSON.stringify(zero), "lariqa.json")),
    /the tolerance for float32 is 0$/,
  );
});

test("photos are refused in Python's words", async () => {
  const { photos } = SENTENCES;
  assert.equal(refuse.empty("empty.jpg").sentence, photos["empty.jpg"]!.sentence);
  const text = new Uint8Array(Buffer.from(photos["text.jpg"]!.base64, "base64"));
  assert.equal(refuse.otherKind("text.jpg", text).sentence, photos["text.jpg"]!.sentence);
  assert.equal(refuse.tooLarge("big.jpg", 20_000, 10_001).sentence, SENTENCES["too large"]);
  assert.equal(refuse.KINDS, SENTENCES.kinds);
  const small = new PixelPhoto(200, 31, new Uint8Array(200 * 31 * 4));
  await assert.rejects(viewsOf(small, SPEC, BOTH), new Refusal(SENTENCES["too small"]));
  assert.equal(bytesInWords(new Uint8Array([0x27, 0x22, 0])), `b'\\'"\\x00'`);
});

const ROW = { parity: { limit: 0.0005, photos: [] }, plan: null } as unknown as Artifact;

test("the tolerance goes by what the device and the file compute in", () => {
  const tolerances = { float32: 1e-4, float16: 5e-3, int8: 0.0125 };
  assert.equal(toleranceOf(tolerances, ROW, "float32"), 0.0005); // the file's own limit, where it is wider
  assert.equal(toleranceOf(tolerances, ROW, "float16"), 5e-3);
  const coarse = { ...ROW, plan: { weight_formats: { head: "int8" }, compute: "float16" } } as Artifact;
  assert.equal(toleranceOf(tolerances, coarse, "float32"), 0.0125);
  assert.equal(
    arithmeticOf({ ...ROW, plan: { weight_formats: {}, compute: "float16" } } as Artifact, "float32"),
    "float16",
  );
});

test("figures are written as the other languages write them", () => {
  assert.deepEqual([1e-4, 4.8e-7, 0.005, 0.0125, 0, 12.3].map(short), [
    "0.0001",
    "4.8e-07",
    "0.005",
    "0.013",
    "0",
    "12",
  ]);
});

test("of several photos the best is kept, and what is too close to tell apart is said", () => {
  const photo = (name: string, score: number) =>
    ({ name, score, tolerance: 0.001, width: 1, height: 1, notes: [], arithmetic: "float32" }) as const;
  const far = ranked([photo("a.jpg", 0.2), photo("b.jpg", 0.7), photo("c.jpg", 0.5)]);
  assert.deepEqual(
    far.map(({ photo: { name } }) => name),
    ["b.jpg", "c.jpg", "a.jpg"],
  );
  assert.equal(verdict(far), "Keep b.jpg: 0.200 ahead of the next of 3.");
  assert.equal(
    verdict(ranked([photo("a.jpg", 0.5), photo("b.jpg", 0.5015)])),
    "Keep b.jpg, or a.jpg: too close to tell apart.",
  );
  assert.equal(verdict([]), "No photo was scored.");
});

test("a score says what it means, and what it does not", () => {
  const text = Object.values(SENTENCES.manifests)[0]!.json.replace(
    /"schema": "[^"]+"/,
    '"schema": "lariqa-manifest/2"',
  );
  const manifest = parseManifest(text, "lariqa.json");
  const artifact = manifest.artifacts.find((row) => row.input === "views")!;
  const score = {
    score: 1.25,
    width: 4000,
    height: 100,
    tolerance: 1e-4,
    arithmetic: "float32",
    notes: ["A note."],
  } as const;
  const meaning = meaningOf(score, manifest, artifact);
  assert.equal(meaning.scale, "1.2500 on a scale of about 0 to 1, higher is better.");
  assert.equal(meaning.warnings.length, 3); // not trained, outside the range, the note
  assert.equal(
    meaning.views,
    "The model looked twice: at the whole photo, scaled to 128x128, and at the middle 128x100 px at full resolution.",
  );
  assert.equal(meaning.position, 1);
});

test("the module that asks for SIMD is valid where there is SIMD, as here", () => {
  refuseWithoutSimd();
});

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return error.sentence;
  }
  assert.fail("not refused");
}
