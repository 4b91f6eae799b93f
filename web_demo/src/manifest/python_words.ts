/** Values as the Python side writes them in its sentences: `'text'`, `None`, `[1, 2]`, `{'key': 'value'}`. */

/** A JSON value, as Python's `repr` has it. */
export function inWords(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(inWords).join(", ")}]`;
  const pairs = Object.entries(value).map(([key, one]) => `${quoted(key)}: ${inWords(one)}`);
  return `{${pairs.join(", ")}}`;
}

/** A tuple: `(150, None)`. */
export function tuple(values: readonly unknown[]): string {
  return values.length === 1 ? `(${inWords(values[0])},)` : `(${values.map(inWords).join(", ")})`;
}

/** Bytes: `b'\x00\x01JFIF'`. */
export function bytesInWords(bytes: Uint8Array): string {
  const quote = bytes.includes(0x27) && !bytes.includes(0x22) ? '"' : "'";
  const named: Record<number, string> = { 9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\" };
  let body = "";
  for (const byte of bytes) {
    if (byte === 0x27 && quote === "'") body += "\\'";
    else if (named[byte]) body += named[byte];
    else if (byte >= 0x20 && byte < 0x7f) body += String.fromCharCode(byte);
    else body += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `b${quote}${body}${quote}`;
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/\r/g, "\\r").replace(/\t/g, "\\t");
  return quote + (quote === "'" ? body.replace(/'/g, "\\'") : body) + quote;
}
