/** An export beside the page: `lariqa.json`, the golden tile and the artifacts, each checked before it is used. */

import { reasonOf, Refusal } from "../refusal.ts";
import { type Artifact, RUNTIMES, runsHere } from "./artifact.ts";
import { FILE_NAME, type Manifest, parseManifest } from "./manifest.ts";

/** Told how much of a file is there: bytes so far, of how many. */
export type OnProgress = (loaded: number, total: number) => void;

export class ExportFolder {
  private constructor(
    readonly url: string,
    readonly manifest: Manifest,
    /** The rows that a page can run, the fastest runtime's first. */
    readonly artifacts: readonly Artifact[],
  ) {}

  /**
   * @param url of the folder, with a slash at its end.
   * @throws Refusal no manifest, one that this version does not read, or no file in it that a page can run.
   */
  static async open(url: string): Promise<ExportFolder> {
    if (typeof crypto === "undefined" || !crypto.subtle) {
      throw new Refusal(
        "this page was opened over plain http, where browsers offer no sha256; open it by https or on localhost",
      );
    }
    const answer = await get(url + FILE_NAME, FILE_NAME);
    if (!answer.ok) {
      throw new Refusal(
        `no model beside this page (${answer.status} for ${FILE_NAME}); ` +
          "`make web MODEL_DIR=...` puts an export there",
      );
    }
    const manifest = parseManifest(await answer.text(), FILE_NAME);
    const runs = manifest.artifacts.filter(runsHere);
    const artifacts = Object.keys(RUNTIMES).flatMap((format) => runs.filter((row) => row.format === format));
    if (!artifacts.length) {
      const listed = manifest.artifacts.map((row) => row.file).join(", ");
      const formats = Object.keys(RUNTIMES).sort().join(",");
      throw new Refusal(
        `${FILE_NAME} lists no file that a page runs; it lists ${listed || "nothing"}; ` +
          `export with --format ${formats} and --input views`,
      );
    }
    return new ExportFolder(url, manifest, artifacts);
  }

  /** The row of one file; the first where none is named. */
  artifact(file?: string): Artifact {
    const found = file === undefined ? this.artifacts[0] : this.artifacts.find((row) => row.file === file);
    if (found) return found;
    const listed = this.artifacts.map((row) => row.file).join(", ");
    throw new Refusal(`${FILE_NAME} does not list ${file}; it lists ${listed}`);
  }

  /**
   * A file's bytes, once their sha256 is the manifest's.
   *
   * @throws Refusal it is missing, or not the file that was proved.
   */
  async verified(
    file: string,
    sha256: string,
    bytes: number | null,
    onProgress: OnProgress = () => {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const answer = await get(this.url + file, file);
    if (!answer.ok) throw new Refusal(`no model at ${file}; \`lariqa export\` makes one`);
    let data = await bytesOf(answer, file, bytes, onProgress);
    if ((await sha256Of(data)) !== sha256) {
      // What a cache kept of an older export; the network may have the right one.
      const again = await get(this.url + file, file, "reload");
      data = again.ok ? await bytesOf(again, file, bytes, onProgress) : data;
      if ((await sha256Of(data)) !== sha256) {
        throw new Refusal(
          `${file} is not the file that lariqa.json beside it describes (its sha256 differs); export again`,
        );
      }
    }
    return data;
  }
}

/** In hexadecimal, as in the manifest. */
export async function sha256Of(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function get(url: string, name: string, cache: RequestCache = "default"): Promise<Response> {
  try {
    return await fetch(url, { cache });
  } catch (error) {
    throw new Refusal(`${name} could not be fetched (${reasonOf(error)}); go online once, or start the server again`);
  }
}

/** Into one buffer of the size that the manifest gives, so that a large file is in memory once. */
async function bytesOf(
  answer: Response,
  name: string,
  expected: number | null,
  onProgress: OnProgress,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!answer.body || expected === null) return new Uint8Array(await answer.arrayBuffer());
  const data = new Uint8Array(expected);
  const reader = answer.body.getReader();
  let at = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (at + value.length <= expected) data.set(value, at);
      at += value.length;
      onProgress(at, expected);
    }
  } catch (error) {
    throw new Refusal(`${name} broke off after ${at} of ${expected} bytes (${reasonOf(error)}); load the page again`);
  }
  return at === expected ? data : data.subarray(0, Math.min(at, expected - 1)); // another size has another sum
}
