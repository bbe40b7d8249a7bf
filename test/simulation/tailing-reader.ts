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
  /** Ends the wait. */
  stop(): void;
}

/**
 * The reader of a service, which polls. Of the polls that find nothing, of which a day has millions, only those take place
 * that might have found something: from the second one on, a read is answered at the first poll that does, or when the
 * service is to stop.
 */
export class TailingReader extends SimulatedReader {
  /** The newest frame when a read had found nothing; `undefined` if that frame was on its way. */
  #last: ModelFrame | undefined;

  override async read(): Promise<NativeBatch | null> {
    const { scheduler, journal } = world();
    const isIdle = this.atEnd();
    let mayFind = !isIdle || journal.newest !== this.#last;
    for (;;) {
      if (!mayFind && !(await nextPoll())) return null;
      const batch = await super.read();
      const { newest } = journal;
      const isOnItsWay = newest !== undefined && timesOf(newest).some((ms) => ms > scheduler.now);
      this.#last = isOnItsWay ? undefined : newest;
      if (batch !== null || !isIdle) return batch;
      mayFind = false;
    }
  }
}

/** Waits until a poll may find something; false if the process is to stop before. */
function nextPoll(): Promise<boolean> {
  const { scheduler, journal } = world();
  const { process, now: startedAt } = scheduler;
  return new Promise((resolve) => {
    let isDue = false;
    const end = (isPoll: boolean): void => {
      journal.tails.delete(tail);
      resolve(isPoll);
    };
    const appended = (frame: ModelFrame): void => {
      const { now } = scheduler;
      const next = timesOf(frame).find((ms) => ms > now);
      if (isDue || next === undefined) return;
      isDue = true;
      const polls = Math.ceil((next - startedAt) / pollMs);
      scheduler.after(startedAt + polls * pollMs - now, () => end(true), process);
    };
    const tail: Tail = { process, appended, stop: () => end(false) };
    journal.tails.add(tail);
    if (journal.newest !== undefined) appended(journal.newest);
  });
}

/** When a poll may find a frame that no poll before could return, in ms of virtual time. */
function timesOf({ visibleAt, durableAt }: ModelFrame): number[] {
  const unmarkedAt = visibleAt + pollMs + unmarkedAfterMs;
  return durableAt < unmarkedAt ? [durableAt] : [visibleAt, unmarkedAt, durableAt];
}
