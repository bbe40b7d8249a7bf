import { setMaxListeners } from "node:events";

/**
 * What became of a delivery. `handled`: the message may be acknowledged. `abandoned`: it must be delivered again.
 */
export type Outcome = "handled" | "abandoned";

/** A message on its way to its handler. */
export class Delivery {
  /** True while the handler, or the hook for dead letters, runs, and once it has succeeded. */
  isRunning = false;
  readonly outcome: Promise<Outcome>;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #session: Session;
  #isSettled = false;

  constructor(session: Session) {
    let resolve: (outcome: Outcome) => void = () => undefined;
    this.outcome = new Promise((settle) => {
      resolve = settle;
    });
    this.#resolve = resolve;
    this.#session = session;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** The first call counts. */
  settle(outcome: Outcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#session.settled(this);
    this.#resolve(outcome);
  }
}

/**
 * The time during which messages of one assignment can be acknowledged: a batch of a partition, or a channel. Once
 * it is closing no handler starts; those that run may finish.
 */
export class Session {
  readonly #closing = new AbortController();
  readonly #cut = new AbortController();
  readonly #open = new Set<Delivery>();
  #whenEmpty: (() => void)[] = [];

  constructor() {
    // Each event that waits for its next try listens, and each handler may.
    setMaxListeners(0, this.closing, this.cut);
  }

  /** Aborted when no handler may start any more. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Aborted when nobody waits for the running handlers any more. */
  get cut(): AbortSignal {
    return this.#cut.signal;
  }

  /** Deliveries that are not settled. */
  get open(): number {
    return this.#open.size;
  }

  /** Begins a delivery; in a closing session it is abandoned at once. */
  begin(): Delivery {
    const delivery = new Delivery(this);
    this.#open.add(delivery);
    if (this.closing.aborted) delivery.settle("abandoned");
    return delivery;
  }

  /** Called by a delivery when it is settled. */
  settled(delivery: Delivery): void {
    this.#open.delete(delivery);
    if (this.#open.size > 0) return;
    for (const done of this.#whenEmpty.splice(0)) done();
  }

  /**
   * Abandons what does not run, and waits at most `limitMs` for what runs; then that is abandoned too. May be called
   * again with a shorter limit.
   */
  async close(limitMs: number): Promise<void> {
    this.#closing.abort();
    for (const delivery of this.#open) if (!delivery.isRunning) delivery.settle("abandoned");
    if (this.#open.size === 0) return;
    const timer = Number.isFinite(limitMs) ? setTimeout(() => this.#cutOff(), limitMs) : undefined;
    await new Promise<void>((resolve) => {
      this.#whenEmpty.push(resolve);
    });
    clearTimeout(timer);
  }

  #cutOff(): void {
    this.#cut.abort();
    for (const delivery of this.#open) delivery.settle("abandoned");
  }
}
