import { hash } from "node:crypto";
import { buildEvents } from "../../events/build-events.ts";
import { CaIdentity } from "../../events/ca-identity.ts";
import type { EventOptions } from "../../events/envelope.ts";
import type { CertwireEvent } from "../../events/event.ts";
import { type Frame, frameTypes } from "../../journal/frame.ts";
import type { SimulatedEvent } from "../../native/addon.ts";
import { collectRecord } from "./collected-record.ts";

/** Version of the records that this code makes. */
const schema = 1;

/** Between the epoch of Windows, 1601-01-01, and that of Unix, in ms. */
const filetimeOffsetMs = 11_644_473_600_000;

/** Sequence number of the frame that begins an epoch; the first record has the next one. */
const epochSequence = 1n;

/** How long the journal takes to record an event, in 100 ns. */
const recordingTime = 5_000n;

/** Makes the events of a CA as exit module, journal and service do; its journal exists in memory only. */
export class EventMaker {
  readonly #caName: string;
  readonly #seed: string;
  readonly #options: EventOptions;
  readonly #identity = new CaIdentity();
  #epochNumber = 0;
  #sequence = epochSequence;

  /** `seed`: the ids of the journal follow from it. */
  constructor(caName: string, seed: string, options: EventOptions) {
    this.#caName = caName;
    this.#seed = seed;
    this.#options = options;
  }

  /** Begins a new epoch, as each start of the CA does. */
  beginEpoch(): void {
    this.#epochNumber += 1;
    this.#sequence = epochSequence;
  }

  /** The events of one call of Notify at a given time, at least one. */
  events(served: SimulatedEvent, now: Date): CertwireEvent[] {
    const time = BigInt(now.getTime() + filetimeOffsetMs) * 10_000n;
    const record = collectRecord(served, this.#caName, time);
    return buildEvents(this.#nextFrame(time), record, this.#identity, this.#options);
  }

  #nextFrame(time: bigint): Frame {
    this.#sequence += 1n;
    return {
      type: frameTypes.event,
      schema,
      epochNumber: this.#epochNumber,
      epochId: hash("sha256", `${this.#seed}/epoch/${this.#epochNumber}`).slice(0, 32),
      sequence: this.#sequence,
      index: 0,
      time: time + recordingTime,
      payload: Buffer.alloc(0),
    };
  }
}
