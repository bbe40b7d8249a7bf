import type { NativeBatch } from "../../src/native/addon.ts";
import { type ModelFrame, unmarkedAfterMs } from "./journal.ts";
import { SimulatedReader } from "./journal-reader.ts";
import type { SimulatedProcess } from "./scheduler.ts";
import { world } from "./world.ts";

/** How often an idle reader of the service polls, in ms: the default of its configuration. */
const pollMs = 20;

/** A reader that waits at the end of the journal. */
export interface Tail {
  readonly process: SimulatedProcess | undefined;
  /** Call it after a frame was appended. */
  appended(frame: ModelFrame): void;
  /** Call it after an epoch has ended, whose frames wait for no MARK any more. */
  ended(): void;
  /** Ends the wait. */
  stop(): void;
}

/**
 * The reader of a service, which polls. Of the polls that find nothing, of which a day has millions, only those take place
 * that might have found something: from the second one on, a read is answered at the first poll that does, or when the
 * service is to stop.
 */
export class TailingReader extends SimulatedReader {
  /** The newest frame when a read had found nothing; `undefined` if a frame was on its way. */
  #last: ModelFrame | undefined;

  override async read(): Promise<NativeBatch | null> {
    const { journal } = world();
    const isIdle = this.atEnd();
    let mayFind = !isIdle || journal.newest !== this.#last;
    for (;;) {
      if (!mayFind && !(await nextPoll(this.nextFrameAt))) return null;
      const batch = await super.read();
      this.#last = this.nextFrameAt === undefined ? journal.newest : undefined;
      if (batch !== null || !isIdle) return batch;
      mayFind = false;
    }
  }
}

/** Waits until a poll may find something; false if the process is to stop before. `nextFrameAt`: of the reader. */
function nextPoll(nextFrameAt: number | undefined): Promise<boolean> {
  const { scheduler, journal } = world();
  const { process, now: startedAt } = scheduler;
  return new Promise((resolve) => {
    let dueAt = Infinity;
    const end = (isPoll: boolean): void => {
      journal.tails.delete(tail);
      resolve(isPoll);
    };
    const pollAt = (ms: number): void => {
      const polls = Math.floor((ms - startedAt) / pollMs) + 1;
      const at = startedAt + polls * pollMs;
      if (at >= dueAt) return;
      dueAt = at;
      scheduler.after(at - scheduler.now, () => end(true), process);
    };
    const tail: Tail = {
      process,
      // After a frame that waits for its time, another one changes nothing.
      appended: ({ visibleAt, durableAt }) => {
        const isMarkedSoon = durableAt < visibleAt + unmarkedAfterMs;
        if (nextFrameAt === undefined) pollAt(isMarkedSoon ? durableAt : visibleAt);
      },
      ended: () => pollAt(scheduler.now),
      stop: () => end(false),
    };
    journal.tails.add(tail);
    if (nextFrameAt !== undefined) pollAt(nextFrameAt);
  });
}
