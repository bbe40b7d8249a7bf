import { CertwireError } from "../errors/certwire-error.ts";
import { describeCause } from "../errors/describe-cause.ts";
import type { CertwireEvent } from "../events/event.ts";
import { backOffMs, pause, type RetryOptions } from "./back-off.ts";
import type { DeadLetter, DeadLetterHook } from "./dead-letter.ts";
import type { DeduplicationStore } from "./deduplication/store.ts";
import { type Handlers, handlerFor } from "./handlers.ts";
import { KeyOrder } from "./key-order.ts";
import type { ConsumerLogger } from "./logger.ts";
import type { ReceivedMessage } from "./message.ts";
import { knownKindOf, readEvent } from "./read-event.ts";
import type { Delivery, Outcome, Session } from "./session.ts";
import { Slots } from "./slots.ts";

/** What a consumer has done with its messages since it started. */
export interface ConsumerStats {
  /** Events whose handler has succeeded. */
  readonly handled: number;
  /** Events without a handler, acknowledged. */
  readonly ignored: number;
  /** Events that the deduplication store knew, acknowledged. */
  readonly duplicates: number;
  /** Messages that `onDeadLetter` took, acknowledged. */
  readonly deadLetters: number;
  /** Failed tries of handlers and of `onDeadLetter`. */
  readonly failures: number;
  /** Messages received and not settled yet. */
  readonly inProgress: number;
}

/** What a dispatcher works with. */
export interface DispatcherOptions<T> {
  readonly handlers: Handlers<T>;
  readonly concurrency: number;
  readonly retry: Required<RetryOptions>;
  readonly deduplication?: DeduplicationStore<T> | undefined;
  readonly onDeadLetter?: DeadLetterHook | undefined;
  readonly log: ConsumerLogger;
  /** Called when a message cannot be handled and nothing takes it: the consumer must stop. */
  readonly failed: (error: CertwireError) => void;
}

/** One message and what belongs to it. */
interface Job {
  readonly message: ReceivedMessage;
  readonly session: Session;
  readonly delivery: Delivery;
}

/** How a step ended that was tried until it succeeded. */
type Ending = { readonly kind: "done" | "abandoned" } | { readonly kind: "failed"; error: unknown };

/**
 * Brings each message to its handler: the events of a partition key one after the other, at most `concurrency`
 * handlers at a time. An event that waits for its next try holds up its own key only.
 */
export class Dispatcher<T> {
  readonly #options: DispatcherOptions<T>;
  readonly #order = new KeyOrder();
  readonly #slots: Slots;
  readonly #counts = { handled: 0, ignored: 0, duplicates: 0, deadLetters: 0, failures: 0 };
  #inProgress = 0;

  constructor(options: DispatcherOptions<T>) {
    this.#options = options;
    this.#slots = new Slots(options.concurrency);
  }

  get stats(): ConsumerStats {
    return { ...this.#counts, inProgress: this.#inProgress };
  }

  /** Handles a message. Never rejects. */
  async deliver(message: ReceivedMessage, session: Session): Promise<Outcome> {
    const delivery = session.begin();
    const job: Job = { message, session, delivery };
    this.#inProgress += 1;
    try {
      const event = readEvent(message);
      this.#order.add(event.partitionkey, () => this.#settle(job, () => this.#handle(event, job)));
    } catch (error) {
      // Without an event there is no partition key; a broken message waits for no other one.
      const letter = { message, error: error as CertwireError };
      void this.#settle(job, () => this.#bury(letter, job));
    }
    const outcome = await delivery.outcome;
    this.#inProgress -= 1;
    return outcome;
  }

  async #settle({ delivery }: Job, work: () => Promise<Outcome>): Promise<void> {
    if (delivery.isSettled) return;
    try {
      delivery.settle(await work());
    } catch (error) {
      this.#options.failed(error as CertwireError);
      delivery.settle("abandoned");
    }
  }

  /** Throws CERTWIRE_HANDLER_FAILED when the tries are used up and there is no hook for dead letters. */
  async #handle(event: CertwireEvent, job: Job): Promise<Outcome> {
    const { handlers, deduplication } = this.#options;
    const handler = handlerFor(handlers, knownKindOf(event));
    if (handler === undefined) {
      this.#counts.ignored += 1;
      return "handled";
    }
    const { message, session } = job;
    let isNew = true;
    const ending = await this.#untilDone(event.id, job, async (attempt) => {
      const context = { message, attempt, signal: session.cut };
      if (deduplication === undefined) {
        // Without a store T is `undefined`.
        await handler(event, { ...context, transaction: undefined as T });
        return;
      }
      isNew = await deduplication.once(event, async (transaction) => {
        await handler(event, { ...context, transaction });
      });
    });
    if (ending.kind === "abandoned") return "abandoned";
    if (ending.kind === "failed") return this.#bury(letterOf(event, message, ending.error), job);
    this.#counts[isNew ? "handled" : "duplicates"] += 1;
    return "handled";
  }

  /** Gives a message to the hook for dead letters. Throws the letter's error if there is no hook, or it fails. */
  async #bury(letter: DeadLetter, job: Job): Promise<Outcome> {
    const { onDeadLetter, log } = this.#options;
    if (onDeadLetter === undefined) throw letter.error;
    const { place } = letter.message;
    const ending = await this.#untilDone(`dead letter ${place}`, job, async () => {
      await onDeadLetter(letter);
    });
    if (ending.kind === "abandoned") return "abandoned";
    if (ending.kind === "failed") {
      const text = `onDeadLetter failed for ${place}, where ${letter.error.message}`;
      throw new CertwireError("CERTWIRE_HANDLER_FAILED", text, { cause: ending.error });
    }
    this.#counts.deadLetters += 1;
    log.warn({ place, code: letter.error.code, error: describeCause(letter.error) }, "dead letter");
    return "handled";
  }

  /** Tries a step until it succeeds, its tries are used up, or the session closes. */
  async #untilDone(
    what: string,
    { message, session, delivery }: Job,
    step: (attempt: number) => Promise<void>,
  ): Promise<Ending> {
    const { retry, log } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      const ending = await this.#try(delivery, () => step(attempt));
      if (ending.kind !== "failed") return ending;
      this.#counts.failures += 1;
      const { error } = ending;
      // A stop may be why it failed, so that says nothing about the event.
      if (session.closing.aborted) return { kind: "abandoned" };
      if (attempt > retry.limit) return ending;
      const delayMs = backOffMs(attempt, retry);
      const fields = { event: what, place: message.place, attempt, delayMs };
      log.warn({ ...fields, error: describeCause(error) }, "handler failed, it is tried again");
      await pause(delayMs, session.closing);
    }
  }

  async #try(delivery: Delivery, step: () => Promise<void>): Promise<Ending> {
    await this.#slots.take();
    try {
      if (delivery.isSettled) return { kind: "abandoned" };
      delivery.isRunning = true;
      await step();
      // It stays so until it is settled: a session that closes meanwhile must not abandon it.
      return { kind: "done" };
    } catch (error) {
      delivery.isRunning = false;
      return { kind: "failed", error };
    } finally {
      this.#slots.give();
    }
  }
}

function letterOf(event: CertwireEvent, message: ReceivedMessage, cause: unknown): DeadLetter {
  const text = `the handler of ${event.type} failed for event ${event.id} at ${message.place}`;
  return { message, event, error: new CertwireError("CERTWIRE_HANDLER_FAILED", text, { cause }) };
}
