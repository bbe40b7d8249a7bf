import { setTimeout as delay } from "node:timers/promises";
import type { CertwireEvent, ConsumerLogger } from "./certwire.ts";
import type { RefusedFile } from "./refused.ts";
import type { Outcome, Siem } from "./siem.ts";

/** What a forwarder works with. */
export interface ForwarderOptions {
  readonly siem: Siem;
  readonly refused: RefusedFile;
  readonly log: ConsumerLogger;
  /** Aborted when the program stops: a SIEM that does not accept is then tried once more, not indefinitely. */
  readonly stop: AbortSignal;
  /** Limits of a request. */
  readonly batch: { readonly events: number; readonly bytes: number };
  /** Delays between tries, in ms: doubled with each, half of it random. */
  readonly backOff?: { readonly initialMs: number; readonly maxMs: number };
}

/** An event whose handler waits. */
interface Entry {
  readonly event: CertwireEvent;
  /** What the event is in the body of a request. */
  readonly part: string;
  readonly signal: AbortSignal;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

type Later = Extract<Outcome, { kind: "later" }>;

const unanswered: Outcome = {
  kind: "later",
  reason: "the answer says nothing about the event",
  needsPerson: true,
};

/** How long a request waits for the handlers that have just started, in ms. */
const lingerMs = 20;

/** Trouble that lasts longer needs a person, in ms. */
const alarmAfterMs = 60_000;

/**
 * Makes batches of the events whose handlers run, and sends one at a time. Each handler resolves when the SIEM has its
 * event, or when the file of refused events has it; until then the event is sent again.
 */
export class Forwarder {
  readonly #options: Required<ForwarderOptions>;
  readonly #counts = { forwarded: 0, refused: 0 };
  #waiting: Entry[] = [];
  #isSending = false;
  /** Most events of the next request; smaller after one that had to be divided. */
  #mostEvents: number;
  #failures = 0;
  #troubleSince = 0;

  constructor(options: ForwarderOptions) {
    this.#options = { backOff: { initialMs: 500, maxMs: 30_000 }, ...options };
    this.#mostEvents = options.batch.events;
  }

  /** Events that the SIEM has, and events that the file has. */
  get counts(): { readonly forwarded: number; readonly refused: number } {
    return { ...this.#counts };
  }

  /**
   * Forwards an event; resolves when it may be acknowledged. Rejects when `signal` is aborted before it is sent, and
   * when the program stops while the SIEM does not accept.
   */
  async forward(event: CertwireEvent, signal: AbortSignal): Promise<void> {
    const part = this.#options.siem.encode(event);
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ event, part, signal, resolve, reject });
      void this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      if (this.#waiting.length < this.#options.batch.events) await delay(lingerMs);
      await this.#sendBatch(this.#takeBatch());
    }
    this.#isSending = false;
  }

  #takeBatch(): readonly Entry[] {
    const batch: Entry[] = [];
    let bytes = 0;
    for (;;) {
      const entry = this.#waiting[0];
      if (entry === undefined) return batch;
      if (entry.signal.aborted) {
        entry.reject(new Error("nobody waits for the event any more"));
      } else {
        bytes += Buffer.byteLength(entry.part);
        const isFull = batch.length >= this.#mostEvents || bytes > this.#options.batch.bytes;
        if (isFull && batch.length > 0) return batch;
        batch.push(entry);
      }
      this.#waiting.shift();
    }
  }

  async #sendBatch(batch: readonly Entry[]): Promise<void> {
    if (batch.length === 0) return;
    const outcomes = await this.#ask(batch);
    const left: Entry[] = [];
    let trouble: Later | undefined;
    for (const [at, entry] of batch.entries()) {
      const outcome = await this.#settle(entry, outcomes[at] ?? unanswered, batch.length);
      if (outcome.kind === "accepted") continue;
      left.push(entry);
      if (outcome.kind === "later") trouble = outcome;
    }
    this.#waiting.unshift(...left);
    const isDivided = outcomes.some(({ kind }) => kind === "divide");
    const wanted = isDivided ? Math.ceil(batch.length / 2) : this.#mostEvents * 2;
    this.#mostEvents = Math.min(wanted, this.#options.batch.events);
    // Some trouble in each request is not a reason to send less and less often.
    if (left.length < batch.length || trouble === undefined) this.#accepts();
    if (trouble !== undefined) await this.#backOff(trouble, left.length);
  }

  async #ask(batch: readonly Entry[]): Promise<readonly Outcome[]> {
    try {
      return await this.#options.siem.send(batch.map(({ part }) => part));
    } catch (error) {
      const reason = (error as Error).message;
      return batch.map(() => ({ kind: "later", reason, needsPerson: false }));
    }
  }

  /** Ends the wait of a handler whose event is done with; the outcome for the others. */
  async #settle(entry: Entry, outcome: Outcome, parts: number): Promise<Outcome> {
    if (outcome.kind === "accepted") {
      this.#counts.forwarded += 1;
      entry.resolve();
      return outcome;
    }
    const isRefused = outcome.kind === "refused" || (outcome.kind === "divide" && parts === 1);
    return isRefused ? this.#refuse(entry, outcome.reason) : outcome;
  }

  async #refuse({ event, resolve }: Entry, reason: string): Promise<Outcome> {
    const { refused, log } = this.#options;
    const { path } = refused;
    try {
      await refused.keep(event, reason);
    } catch (error) {
      const text = `cannot keep a refused event: ${(error as Error).message}`;
      return { kind: "later", reason: text, needsPerson: true };
    }
    this.#counts.refused += 1;
    log.error({ alarm: true, event: event.id, reason, path }, "the SIEM refuses an event");
    resolve();
    return { kind: "accepted" };
  }

  #accepts(): void {
    if (this.#failures > 0) this.#options.log.info({}, "the SIEM accepts again");
    this.#failures = 0;
  }

  async #backOff({ reason, needsPerson }: Later, events: number): Promise<void> {
    const { log, stop, backOff } = this.#options;
    if (this.#failures === 0) this.#troubleSince = performance.now();
    this.#failures += 1;
    if (stop.aborted) {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`stopped: ${reason}`));
      return;
    }
    const longest = Math.min(backOff.maxMs, backOff.initialMs * 2 ** (this.#failures - 1));
    const delayMs = Math.round((longest * (1 + Math.random())) / 2);
    const fields = { reason, events, attempt: this.#failures, delayMs };
    const isAlarm = needsPerson || performance.now() - this.#troubleSince > alarmAfterMs;
    const text = "the SIEM does not accept events, they are sent again";
    if (isAlarm) log.error({ alarm: true, ...fields }, text);
    else log.warn(fields, text);
    await delay(delayMs, undefined, { signal: stop }).catch(() => undefined);
  }
}
