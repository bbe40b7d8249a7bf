/** A step that never rejects. */
type Step = () => Promise<void>;

/** Runs the steps of one key one after the other, in the order in which they were added; keys run side by side. */
export class KeyOrder {
  /** For each key with a running step, the steps that wait for it. */
  readonly #waiting = new Map<string, Step[]>();

  /** Runs `step` as soon as all earlier steps of the key have ended. */
  add(key: string, step: Step): void {
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      waiting.push(step);
      return;
    }
    const steps: Step[] = [];
    this.#waiting.set(key, steps);
    void this.#runAll(key, step, steps);
  }

  async #runAll(key: string, first: Step, waiting: Step[]): Promise<void> {
    let step: Step | undefined = first;
    while (step !== undefined) {
      await step();
      step = waiting.shift();
    }
    this.#waiting.delete(key);
  }
}
