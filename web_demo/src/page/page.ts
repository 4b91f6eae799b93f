/** The page: state goes down as one `render`, events go up. What is scored stays when another runtime is chosen. */

import { load, mostThreads, type Scored, type WebScorer } from "../lariqa.ts";
import { type Artifact, RUNTIMES } from "../manifest/artifact.ts";
import { sentenceOf } from "../refusal.ts";
import type { Accelerator } from "../scoring/runner.ts";
import { type ScoringState, stateSentence } from "../scoring/scoring_state.ts";
import { rowsText, watchBenchmark } from "./benchmark_card.ts";
import { keepOffline } from "./offline.ts";
import { PhotoList } from "./photo_list.ts";
import { element } from "./dom.ts";

const MODEL = "model/";

let scorer: WebScorer | null = null;
let attempt = 0;
let queue: File[] = [];
let [begun, asked] = [0, 0];
let busy = false;

const list = new PhotoList(async (file) => {
  if (!scorer) throw new Error("no model is ready");
  return scorer.views(file, file.name);
});

function show(state: ScoringState): void {
  const banner = element("state");
  banner.dataset.state = state.name;
  element("state-name").textContent = state.name;
  element("state-sentence").textContent = stateSentence(state);
  const progress = element<HTMLProgressElement>("state-progress");
  const isBusy = state.name !== "Ready" && state.name !== "Failed";
  banner.toggleAttribute("data-busy", isBusy);
  if (state.name === "Loading" && state.fraction !== null) progress.value = state.fraction;
  else if (state.name === "Scoring") progress.value = (state.number - 1) / state.of;
  else progress.removeAttribute("value");
  const canScore = state.name === "Ready" || state.name === "Scoring";
  for (const id of ["pick", "take"]) element<HTMLInputElement>(id).disabled = !canScore;
  element<HTMLButtonElement>("measure").disabled = state.name !== "Ready";
  element<HTMLSelectElement>("runtime").disabled =
    state.name === "Scoring" || element("runtime").childElementCount === 0;
  element("again").hidden = state.name !== "Failed";
}

function showReady(): void {
  const { selfTest, audition, fallback } = scorer!.loaded;
  const note = audition
    ? `Of ${audition.pictures} generated pictures '${audition.picture}' is ${audition.worst.toExponential(1)} off at most.`
    : "";
  show({ name: "Ready", selfTest, note: `${note} ${fallback}`.trim() });
}

/** Open a file of the export; the end is Ready or Failed, never an exception. */
async function open(file?: string, accelerator: Accelerator = "wasm"): Promise<void> {
  const mine = ++attempt;
  scorer?.close(); // never two models in memory at once
  scorer = null;
  try {
    const options = {
      file,
      accelerator,
      onState: (state: ScoringState) => mine === attempt && show(state),
      onListed: (artifacts: readonly Artifact[]) =>
        mine === attempt && offer(artifacts, file ?? artifacts[0]!.file, accelerator),
    };
    const opened = await load(MODEL, options);
    if (mine !== attempt) return opened.close();
    scorer = opened;
    tellFacts(opened);
    showReady();
    void scoreQueue();
  } catch (error) {
    if (mine === attempt) show({ name: "Failed", reason: sentenceOf(error) });
  }
}

/** The files and runtimes that may be chosen. */
function offer(artifacts: readonly Artifact[], file: string, accelerator: Accelerator): void {
  const select = element<HTMLSelectElement>("runtime");
  const choices = artifacts.flatMap((row) => [
    { row, on: "wasm" as Accelerator, words: "WASM" },
    ...(row.format === "onnx" && "gpu" in navigator
      ? [{ row, on: "webgpu" as Accelerator, words: "WebGPU, if it proves itself" }]
      : []),
  ]);
  select.replaceChildren(
    ...choices.map(({ row, on, words }) => {
      const option = new Option(`${row.file} · ${RUNTIMES[row.format]} · ${words}`, `${on} ${row.file}`);
      option.selected = row.file === file && on === accelerator;
      return option;
    }),
  );
}

function tellFacts(opened: WebScorer): void {
  const { threads } = opened.loaded;
  const threading =
    threads > 1
      ? `${threads} threads.`
      : globalThis.crossOriginIsolated
        ? "One thread."
        : "One thread: this page is not cross-origin isolated, which threads need.";
  element("model-facts").textContent = `${opened.loaded.runtime}, ${threading} ${opened.manifest.score.meaning}.`;
}

async function scoreQueue(): Promise<void> {
  if (busy || !scorer) return;
  busy = true;
  while (queue.length && scorer) {
    const file = queue.shift()!;
    const current: WebScorer = scorer;
    show({ name: "Scoring", photo: file.name, number: ++begun, of: asked });
    try {
      const scored: Scored = await current.score(file, file.name);
      list.add(file, scored);
    } catch (error) {
      if (scorer === current) list.refuse(file.name, sentenceOf(error));
      else {
        queue.unshift(file); // another runtime was chosen meanwhile: it scores this photo
        begun--;
      }
    }
  }
  busy = false;
  if (!queue.length) [begun, asked] = [0, 0];
  if (scorer) showReady();
}

function take(files: Iterable<File>): void {
  const chosen = [...files];
  queue.push(...chosen);
  asked += chosen.length;
  void scoreQueue();
}

function listen(): void {
  for (const id of ["pick", "take"]) {
    const input = element<HTMLInputElement>(id);
    input.addEventListener("change", () => {
      take(input.files ?? []);
      input.value = ""; // the same photo may be chosen again
    });
  }
  const drop = element("drop");
  const over = (on: boolean) => drop.classList.toggle("over", on);
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      over(true);
    });
  }
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && over(false));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    take(event.dataTransfer?.files ?? []);
  });
  document.addEventListener("paste", (event) => take(event.clipboardData?.files ?? []));
  element("clear").addEventListener("click", () => {
    list.clear();
    element("pick").focus();
  });
  element("again").addEventListener("click", () => choose());
  element("runtime").addEventListener("change", () => choose());
  watchBenchmark(
    () => scorer,
    () => list.files,
    (measured) => (measured ? choose() : close()),
  );
}

/** For a measurement, which loads the model anew: never two of them in memory at once. */
function close(): void {
  attempt++;
  scorer?.close();
  scorer = null;
  show({ name: "Loading", file: "the model anew, to measure it", fraction: null });
}

function choose(): void {
  const [accelerator, ...file] = element<HTMLSelectElement>("runtime").value.split(" ");
  void open(file.join(" ") || undefined, (accelerator || "wasm") as Accelerator);
}

async function start(): Promise<void> {
  listen();
  await keepOffline((sentence) => {
    const notice = element("notice");
    notice.textContent = sentence;
    notice.hidden = false;
  });
  document.documentElement.dataset.threads = String(mostThreads());
  await open();
}

Object.assign(globalThis, { lariqaRows: rowsText }); // for whoever drives the page by a program
void start();
