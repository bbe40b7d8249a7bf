import type { PipelineMonitor } from "./monitor.ts";
import { type RetryPolicy, retryUntilDone } from "./retry.ts";

/** Where a pipeline keeps which kinds were routed; `RoutedKindsFile` in a service. */
export interface RoutedKindsStore {
  /** What was kept before. */
  readonly kinds: readonly string[];
  /** Resolves when these kinds are durable. Rejects when they cannot be written; a later call may succeed. */
  save(kinds: readonly string[]): Promise<void>;
}

/** Parts of a `RoutedKinds`. */
export interface RoutedKindsOptions {
  /** Default: they are kept as long as the pipeline. */
  readonly store?: RoutedKindsStore | undefined;
  readonly retry: RetryPolicy;
  readonly monitor: PipelineMonitor;
}

/**
 * The kinds of events of which the broker has routed one. A new one is saved in the background, without end if that fails;
 * no event waits for it.
 */
export class RoutedKinds {
  readonly #options: RoutedKindsOptions;
  readonly #kinds: Set<string>;
  readonly #stopping = new AbortController();
  #saved: number;
  #saving: Promise<void> | undefined;

  constructor(options: RoutedKindsOptions) {
    this.#options = options;
    this.#kinds = new Set(options.store?.kinds);
    this.#saved = this.#kinds.size;
  }

  has(kind: string): boolean {
    return this.#kinds.has(kind);
  }

  /** Call it for each event that was routed. */
  add(kind: string): void {
    if (this.#kinds.has(kind)) return;
    this.#kinds.add(kind);
    this.#saving ??= this.#saveAll();
  }

  /** Resolves after one last try to save what is not saved yet. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#saving;
    if (this.#saved < this.#kinds.size) await this.#save().catch(() => undefined);
  }

  async #saveAll(): Promise<void> {
    const { retry, monitor } = this.#options;
    const { signal } = this.#stopping;
    while (this.#saved < this.#kinds.size && !signal.aborted) {
      await retryUntilDone(() => this.#save(), {
        policy: retry,
        signal,
        failed: (...failure) => monitor.routedKindsFailed(...failure),
      });
    }
    // Together with the last look at what is unsaved: a kind that comes later starts a new save.
    this.#saving = undefined;
  }

  async #save(): Promise<void> {
    const kinds = [...this.#kinds];
    await this.#options.store?.save(kinds);
    this.#saved = kinds.length;
    this.#options.monitor.routedKindsSaved();
  }
}
