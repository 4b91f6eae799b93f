/**
 * `lariqa.json`, schema `lariqa-manifest/2`: the one contract between an export and whoever runs it.
 *
 * Schema, words and units: docs/schemas/manifest.md. This reader refuses any other schema, and a row that contradicts itself.
 */

import { reasonOf, Refusal } from "../refusal.ts";
import { type Artifact, refuseContradictions } from "./artifact.ts";
import { parsePreprocess, type PreprocessSpec } from "./preprocess_spec.ts";
import { inWords } from "./python_words.ts";
import { parseTolerances, type Tolerances } from "./tolerances.ts";

export const SCHEMA = "lariqa-manifest/2";
export const FILE_NAME = "lariqa.json";

export interface Golden {
  readonly file: string;
  readonly sha256: string;
  readonly fill: string;
}

export interface Manifest {
  readonly toolkitVersion: string;
  readonly checkpointSha256: string;
  readonly preprocess: PreprocessSpec;
  /** Whether human ratings of real photos ever shaped the weights. */
  readonly trained: boolean;
  readonly score: {
    readonly higher_is: string;
    readonly nominal_range: readonly [number, number];
    readonly meaning: string;
  };
  readonly tolerances: Tolerances;
  readonly golden: Golden | null;
  readonly artifacts: readonly Artifact[];
}

/**
 * Read a manifest.
 *
 * @param text JSON.
 * @param where names the source in errors.
 * @throws Refusal not JSON, another schema, not complete, or a row that contradicts itself.
 */
export function parseManifest(text: string, where: string): Manifest {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new Refusal(`${where} is not JSON: ${reasonOf(error)}; export again, into another folder`);
  }
  const schema = isObject(data) ? data.schema : undefined;
  if (!isObject(data) || schema !== SCHEMA) {
    throw new Refusal(
      `${where} has schema ${inWords(schema)}, this version reads '${SCHEMA}'; export again with this toolkit`,
    );
  }
  try {
    const model = object(data, "model");
    const preprocess = parsePreprocess(object(model, "preprocess"));
    const artifacts = list(data, "artifacts").map((row) => artifactOf(row, preprocess));
    return {
      checkpointSha256: text_(data, "checkpoint_sha256"),
      toolkitVersion: text_(data, "toolkit_version"),
      preprocess,
      trained: object(model, "provenance").trained === true,
      score: object(data, "score") as unknown as Manifest["score"],
      tolerances: parseTolerances(object(data, "tolerances")),
      golden: (data.golden ?? null) as Golden | null,
      artifacts,
    };
  } catch (error) {
    throw new Refusal(
      `${where} is not a complete manifest: ${error instanceof Refusal ? error.sentence : reasonOf(error)}`,
    );
  }
}

function artifactOf(row: unknown, preprocess: PreprocessSpec): Artifact {
  if (!isObject(row)) throw new Refusal("'artifacts' holds something else");
  for (const key of ["file", "format", "precision", "input", "synthetic_view", "output", "sha256"]) text_(row, key);
  for (const input of list(row, "inputs")) {
    if (!isObject(input) || !Array.isArray(input.shape)) throw new Refusal("'inputs' holds something else");
  }
  const artifact = { photo_width_px: null, photo_height_px: null, ...row } as unknown as Artifact;
  refuseContradictions(artifact, preprocess);
  return artifact;
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function present(json: Json, key: string): unknown {
  if (!(key in json)) throw new Refusal(`'${key}'`);
  return json[key];
}

function object(json: Json, key: string): Json {
  const value = present(json, key);
  if (!isObject(value)) throw new Refusal(`'${key}' holds something else`);
  return value;
}

function list(json: Json, key: string): unknown[] {
  const value = present(json, key);
  if (!Array.isArray(value)) throw new Refusal(`'${key}' holds something else`);
  return value;
}

function text_(json: Json, key: string): string {
  const value = present(json, key);
  if (typeof value !== "string") throw new Refusal(`'${key}' holds something else`);
  return value;
}
