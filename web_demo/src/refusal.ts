/**
 * The one error that means "the input or the request was wrong": what was expected, what came, what to do.
 *
 * The words are those of the Python side (`lariqa/errors.py`); a test keeps the two equal.
 */
export class Refusal extends Error {
  /** @param sentence for the user. */
  constructor(readonly sentence: string) {
    super(sentence);
    this.name = "Refusal";
  }
}

/** Whatever went wrong, as a sentence: a refusal's own, or what the browser says, on one line. */
export function sentenceOf(error: unknown): string {
  return error instanceof Refusal ? error.sentence : reasonOf(error);
}

/** What an exception says, on one line. */
export function reasonOf(error: unknown): string {
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return said.replace(/\s+/g, " ").trim();
}
