import { Scheduler } from "../scheduler.ts";

/** What a promise came to. */
export type Settled<T> = { readonly value: T } | { readonly error: unknown };

/** Longest wait for a promise, in ms of virtual time. */
const longestMs = 3_600_000;

/** Lets a model act, whose time passes only while someone waits for it. */
export class VirtualTime {
  readonly scheduler = new Scheduler();

  /** Starts something and waits until it has ended; `undefined` if it does not. */
  async settle<T>(start: () => Promise<T>): Promise<Settled<T> | undefined> {
    let settled: Settled<T> | undefined;
    const note = async (): Promise<void> => {
      settled = await start().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
    };
    void note();
    await this.scheduler.run(this.scheduler.now + longestMs, () => settled !== undefined);
    return settled;
  }
}
