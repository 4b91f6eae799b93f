/** The scored photos, best first, and those without a score. A photo's views are made when somebody looks at them. */

import type { Scored } from "../lariqa.ts";
import type { ViewName } from "../manifest/preprocess_spec.ts";
import type { Views } from "../pixels/views.ts";
import { sentenceOf } from "../refusal.ts";
import { type Place, ranked, verdict } from "../scoring/ranking.ts";
import { scoreText } from "../scoring/score_meaning.ts";
import { element, make } from "./dom.ts";

type Row = Scored & { readonly file: File; readonly item: HTMLLIElement };

export class PhotoList {
  private rows: Row[] = [];

  /** @param viewsOf what the model sees of a file. */
  constructor(private readonly viewsOf: (file: File) => Promise<Views>) {}

  /** The files that have a score, in the order in which they were scored. */
  get files(): readonly File[] {
    return this.rows.map((row) => row.file);
  }

  add(file: File, scored: Scored): void {
    const row: Row = { ...scored, file, item: document.createElement("li") };
    row.item.append(...this.contentOf(row));
    this.rows.push(row);
    this.render();
  }

  refuse(name: string, sentence: string): void {
    const said = sentence.startsWith(`${name}: `) ? sentence.slice(name.length + 2) : sentence;
    element("refused").append(make("li", "", make("p", "", make("span", "name", name), `: ${said}`)));
    element("clear").hidden = false;
  }

  clear(): void {
    for (const row of this.rows) row.thumbnail?.close();
    this.rows = [];
    element("refused").replaceChildren();
    this.render();
  }

  private render(): void {
    const places = ranked(this.rows);
    // One by one, to where it belongs: what is open stays open, and the keyboard stays where it is.
    const shown = element("scored");
    places.forEach((place, index) => {
      const { item } = place.photo;
      if (shown.children[index] !== item) shown.insertBefore(item, shown.children[index] ?? null);
      tag(place, places.length);
    });
    while (shown.childElementCount > places.length) shown.lastElementChild!.remove();
    element("verdict").textContent = places.length ? verdict(places) : "";
    element("clear").hidden = !places.length && !element("refused").childElementCount;
  }

  private contentOf(row: Row): Node[] {
    const { meaning } = row;
    const thumbnail = make("canvas", "thumbnail");
    thumbnail.setAttribute("role", "img");
    thumbnail.setAttribute("aria-label", `The photo ${row.name}`);
    drawThumbnail(thumbnail, row);
    const score = make("p", "score", scoreText(row));
    const meter = make("meter");
    meter.min = 0;
    meter.max = 1;
    meter.value = meaning.position;
    meter.setAttribute("aria-label", meaning.scale);
    const middle = make("div", "", make("p", "name", row.name), make("p", "tag"), meter);
    const views = make("div", "views");
    const details = make(
      "details",
      "",
      make("summary", "", "What it means, and what the model saw"),
      make("p", "", meaning.scale),
      ...meaning.warnings.map((warning) => make("p", "warning", warning)),
      make("p", "", meaning.views),
      views,
      make("p", "", meaning.exactness),
      make("p", "", meaning.doesNotSay),
      make("p", "facts", `${row.width}x${row.height} px; ${timesOf(row)}`),
    );
    details.addEventListener("toggle", () => {
      if (details.open) void this.showViews(row, views);
      else views.replaceChildren(); // 7 MB a photo
    });
    return [thumbnail, middle, score, details];
  }

  private async showViews(row: Row, into: HTMLElement): Promise<void> {
    into.replaceChildren("The views are being made.");
    try {
      const views = await this.viewsOf(row.file);
      into.replaceChildren(...(Object.keys(views) as ViewName[]).map((name) => figureOf(name, views[name]!)));
    } catch (error) {
      into.replaceChildren(sentenceOf(error));
    }
  }
}

const CAPTIONS: Record<ViewName, string> = {
  authentic: "The whole photo, squeezed to a square: composition, light, colour.",
  synthetic: "The middle at full resolution: noise, blur, compression.",
};

function figureOf(name: ViewName, rgb: Uint8Array): HTMLElement {
  const side = Math.sqrt(rgb.length / 3);
  const canvas = make("canvas");
  canvas.width = canvas.height = side;
  canvas.dataset.view = name;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", CAPTIONS[name]);
  const pixels = new ImageData(side, side);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    pixels.data.set(rgb.subarray(from, from + 3), to);
    pixels.data[to + 3] = 255;
  }
  canvas.getContext("2d")!.putImageData(pixels, 0, 0);
  return make("figure", "", canvas, make("figcaption", "", CAPTIONS[name]));
}

function drawThumbnail(canvas: HTMLCanvasElement, row: Row): void {
  const longest = 192;
  const scale = longest / Math.max(row.width, row.height);
  canvas.width = Math.max(1, Math.round(row.width * scale));
  canvas.height = Math.max(1, Math.round(row.height * scale));
  if (row.thumbnail) canvas.getContext("2d")!.drawImage(row.thumbnail, 0, 0, canvas.width, canvas.height);
}

function tag({ photo, isKept, isCloseCall }: Place<Row>, of: number): void {
  photo.item.classList.toggle("kept", isKept && of > 1);
  photo.item.querySelector(".tag")!.textContent =
    of < 2 ? "" : isKept ? "keep" : isCloseCall ? "too close to tell apart" : "";
}

function timesOf({ timed }: Scored): string {
  const whole = (ms: number) => `${Math.round(ms)} ms`;
  return `decoded in ${whole(timed.decodeMs)}, views in ${whole(timed.preprocessMs)}, model in ${whole(timed.inferenceMs)}`;
}
