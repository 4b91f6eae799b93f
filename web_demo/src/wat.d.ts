/** A .wat file is imported as its WebAssembly's bytes (wat.mjs). */
declare module "*.wat" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
