/** Notices when a figure rises to a mark; again only after it has fallen to a lower one. */
export class Watermark {
  readonly #high: number;
  readonly #low: number;
  #isAbove = false;

  constructor(high: number, low: number) {
    this.#high = high;
    this.#low = low;
  }

  /** True when the figure has come to the mark with this value. */
  isCrossedBy(value: number): boolean {
    const wasAbove = this.#isAbove;
    if (value >= this.#high) this.#isAbove = true;
    else if (value <= this.#low) this.#isAbove = false;
    return this.#isAbove && !wasAbove;
  }
}
