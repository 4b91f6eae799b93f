/**
 * The protocol of docs/schemas/measurement.md in a page: load, first run, counted runs.
 *
 * A row comes back whatever happens: a model that fails is a row with its reason, a stopped run a row with a flag. The model is
 * loaded anew in a fresh worker, so that nothing is warm.
 */

import { load, type WebScorer } from "../lariqa.ts";
import { sentenceOf } from "../refusal.ts";
import { type Latency, machineOf, type MeasurementRow, ROW_SCHEMA, subjectOf } from "./measurement_row.ts";

/** Fewer counted runs than this say little about p95. */
const FEW_RUNS = 20;

export interface Plan {
  readonly url: string;
  readonly scorer: WebScorer;
  /** Taken in turn; none: the golden photo's tile. */
  readonly photos: readonly File[];
  readonly runs: number;
  readonly stopped: AbortSignal;
  readonly onRun: (done: number) => void;
}

export async function measure(plan: Plan): Promise<MeasurementRow> {
  const { artifact, manifest, loaded } = plan.scorer;
  const { browser, ...machine } = await machineOf();
  const latency: Latency = {
    load_ms: null,
    load_was_cold: false,
    first_ms: null,
    decode_ms: [],
    preprocess_ms: [],
    inference_ms: [],
    post_ms: [],
    started_s: [],
  };
  const row: MeasurementRow = {
    schema: ROW_SCHEMA,
    id: crypto.randomUUID(),
    report: crypto.randomUUID(),
    measured_at: new Date().toISOString(),
    measured_by: `lariqa web ${manifest.toolkitVersion}`,
    mode: "burst",
    subject: subjectOf(artifact, manifest, `${browser}, ${loaded.accelerator}`),
    machine,
    setting: {
      runtime: `${loaded.runtime}, ${browser}`,
      threads: loaded.threads,
      accelerator: loaded.accelerator === "wasm" ? "cpu" : "gpu",
      fallback: loaded.fallback,
    },
    latency,
    memory: null,
    scores: [],
    work: { macs: artifact.macs },
    flags: ["a page cannot read the memory of its process: `lariqa bench run --browser chromium` does"],
    error: null,
  };
  let fresh: WebScorer | null = null;
  try {
    fresh = await load(plan.url, { file: artifact.file, accelerator: loaded.accelerator, threads: loaded.threads });
    latency.load_ms = fresh.loaded.openMs;
    latency.first_ms = fresh.loaded.firstMs;
    await run(plan, fresh, row);
  } catch (error) {
    row.error = sentenceOf(error);
  } finally {
    fresh?.close();
  }
  const counted = latency.inference_ms.length;
  if (plan.stopped.aborted) row.flags.push(`stopped by the user after ${counted} of ${plan.runs} counted runs`);
  if (!row.error && counted < FEW_RUNS) row.flags.push(`only ${counted} counted runs: p95 says little`);
  return row;
}

async function run(plan: Plan, fresh: WebScorer, row: MeasurementRow): Promise<void> {
  const golden = plan.photos.length ? null : await goldenFile(plan);
  if (golden)
    row.flags.push(
      "without photos, the golden tile was measured: decode_ms and preprocess_ms grow with a photo's size",
    );
  const photos = golden ? [golden] : plan.photos;
  const began = performance.now();
  for (let number = 0; number < plan.runs && !plan.stopped.aborted; number++) {
    const photo = photos[number % photos.length]!;
    const started = (performance.now() - began) / 1000;
    const scored = await fresh.score(photo, photo.name);
    scored.thumbnail?.close();
    row.latency.decode_ms.push(scored.timed.decodeMs);
    row.latency.preprocess_ms.push(scored.timed.preprocessMs);
    row.latency.inference_ms.push(scored.timed.inferenceMs);
    row.latency.post_ms.push(scored.timed.postMs);
    row.latency.started_s.push(started);
    if (number < photos.length) row.scores.push({ photo: photo.name, score: scored.score, reference: null });
    plan.onRun(number + 1);
  }
}

async function goldenFile(plan: Plan): Promise<File> {
  const { file } = plan.scorer.manifest.golden!; // the self-test was passed with it
  return new File([await (await fetch(plan.url + file)).blob()], file);
}
