/** One benchmark row, schema `lariqa-measurement/2`: the fields that a browser fills, as docs/schemas/measurement.md names them. */

import type { Artifact } from "../manifest/artifact.ts";
import type { Manifest } from "../manifest/manifest.ts";

export const ROW_SCHEMA = "lariqa-measurement/2";

export interface MeasurementRow {
  readonly schema: string;
  readonly id: string;
  readonly report: string;
  readonly measured_at: string;
  readonly measured_by: string;
  readonly mode: "burst";
  readonly subject: Record<string, unknown>;
  readonly machine: { kind: "host" | "phone"; model: string; system: string; cores: number; memory_mib: number };
  readonly setting: Record<string, unknown>;
  readonly latency: Latency;
  readonly memory: null;
  readonly scores: { photo: string; score: number; reference: number | null }[];
  readonly work: { macs: number };
  readonly flags: string[];
  error: string | null;
}

/** Milliseconds; the lists have one entry per counted run. */
export interface Latency {
  load_ms: number | null;
  load_was_cold: boolean;
  first_ms: number | null;
  decode_ms: number[];
  preprocess_ms: number[];
  inference_ms: number[];
  post_ms: number[];
  started_s: number[];
}

/** What was measured. */
export function subjectOf(artifact: Artifact, manifest: Manifest, where: string): Record<string, unknown> {
  return {
    name: `${artifact.file}, ${where}`,
    role: "artifact",
    file: artifact.file,
    sha256: artifact.sha256,
    checkpoint_sha256: manifest.checkpointSha256,
    bytes: artifact.bytes,
    format: artifact.format,
    precision: artifact.precision,
    input: artifact.input,
    synthetic_view: artifact.synthetic_view,
    memory: artifact.memory ?? "naive",
    photo_width_px: artifact.photo_width_px,
    photo_height_px: artifact.photo_height_px,
    trained: manifest.trained,
  };
}

interface Brands {
  readonly brands: readonly { readonly brand: string; readonly version: string }[];
  readonly mobile: boolean;
  readonly platform: string;
  getHighEntropyValues?(names: string[]): Promise<{ model?: string; platformVersion?: string }>;
}

/** Where it was measured, as far as a browser says. */
export async function machineOf(): Promise<MeasurementRow["machine"] & { browser: string }> {
  const device = navigator as Navigator & { userAgentData?: Brands; deviceMemory?: number };
  const told = device.userAgentData;
  const known = told?.brands.find(({ brand }) => !/not.*brand/i.test(brand));
  const browser = known
    ? `${known.brand} ${known.version}`
    : (/(Firefox|Version)\/[\d.]+/.exec(device.userAgent)?.[0] ?? "a browser");
  const more: { model?: string; platformVersion?: string } =
    (await told?.getHighEntropyValues?.(["model", "platformVersion"]).catch(() => null)) ?? {};
  const phone = told?.mobile ?? /Mobi|Android|iPhone|iPad/.test(device.userAgent);
  const platform = `${told?.platform ?? device.platform} ${more.platformVersion ?? ""}`.trim();
  return {
    kind: phone ? "phone" : "host",
    model: more.model || platform,
    system: `${platform}, ${browser}`,
    cores: navigator.hardwareConcurrency || 0,
    memory_mib: (device.deviceMemory ?? 0) * 1024,
    browser,
  };
}
