/** The card that measures, shows the figures and saves the rows. */

import { measure } from "../benchmark/benchmark.ts";
import type { MeasurementRow } from "../benchmark/measurement_row.ts";
import { percentile } from "../benchmark/statistics.ts";
import type { WebScorer } from "../lariqa.ts";
import { element } from "./dom.ts";

const rows: string[] = [];

/**
 * @param scorer the model that is ready, if one is.
 * @param photos that are in the list.
 * @param measuring told when a measurement begins (false), so that the model's memory is given back, and when it was made.
 */
export function watchBenchmark(
  scorer: () => WebScorer | null,
  photos: () => readonly File[],
  measuring: (measured: boolean) => void,
): void {
  const button = element<HTMLButtonElement>("measure");
  const stop = element<HTMLButtonElement>("stop");
  let stopping = new AbortController();
  stop.addEventListener("click", () => stopping.abort());
  button.addEventListener("click", async () => {
    const current = scorer();
    if (!current) return;
    stopping = new AbortController();
    const runs = Math.min(1000, Math.max(1, element<HTMLInputElement>("runs").valueAsNumber || 1));
    button.disabled = true;
    stop.hidden = false;
    measuring(false);
    say("Loading the model anew.");
    const url = new URL("model/", document.baseURI).href;
    const onRun = (done: number) => say(`Measuring: ${done} of ${runs} runs.`);
    const row = await measure({ url, scorer: current, photos: photos(), runs, stopped: stopping.signal, onRun });
    rows.push(JSON.stringify(row));
    offerRows();
    say(figuresOf(row));
    stop.hidden = true;
    measuring(true);
  });
}

function say(sentence: string): void {
  element("figures").textContent = sentence;
}

function offerRows(): void {
  const link = element<HTMLAnchorElement>("rows");
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([rowsText()], { type: "application/jsonl" }));
  link.hidden = false;
}

/** All rows of this page so far, as JSON lines. */
export function rowsText(): string {
  return `${rows.join("\n")}\n`;
}

function figuresOf(row: MeasurementRow): string {
  if (row.error) return `Not measured: ${row.error}`;
  const { latency } = row;
  const totals = latency.inference_ms.map(
    (ms, i) => ms + latency.decode_ms[i]! + latency.preprocess_ms[i]! + latency.post_ms[i]!,
  );
  if (!totals.length) return "Stopped before the first run.";
  const ms = (value: number) => `${Math.round(value)} ms`;
  return (
    `Measured: ${totals.length} runs. Load ${ms(latency.load_ms ?? 0)}, first run ${ms(latency.first_ms ?? 0)}; photo to score: median ` +
    `${ms(percentile(totals, 50))}, 90 % within ${ms(percentile(totals, 90))}; the model alone ${ms(percentile(latency.inference_ms, 50))}.`
  );
}
