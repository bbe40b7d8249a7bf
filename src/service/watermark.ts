/** Detects when a value rises to a high mark, and then only again after it has fallen to a low one. */
export class Watermark {
  readonly #high: number;
  readonly #low: number;
  #isAbove = false;

  constructor(high: number, low: number) {
    this.#high = high;
    this.#low = low;
  }

  /** Takes the next value; true when it is the one that reaches the high mark. */
  isCrossedBy(value: number): boolean {
    const wasAbove = this.#isAbove;
    if (value >= this.#high) this.#isAbove = true;
    else if (value <= this.#low) this.#isAbove = false;
    return this.#isAbove && !wasAbove;
  }
}
