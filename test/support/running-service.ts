import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import pino from "pino";
import { parseConfig } from "../../src/config/load.ts";
import type { JournalPosition } from "../../src/journal/position.ts";
import { Service } from "../../src/service/service.ts";
import type { SinkStats } from "../../src/service/sink-stats.ts";
import { readCheckpoint } from "../../src/state/checkpoint-store.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { sequenceOf } from "./sample-events.ts";
import { until } from "./until.ts";

/** An entry of `sinks` in a configuration. */
export type SinkEntry = Readonly<Record<string, unknown>> & { readonly name: string };

/** A service at work, as its user starts it; its state is beside the journal. */
export class RunningService {
  readonly #service: Service;
  readonly #stateDirectory: string;
  readonly #firsts: ReadonlyMap<string, number>;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  private constructor(service: Service, stateDirectory: string, firsts: Map<string, number>) {
    this.#service = service;
    this.#stateDirectory = stateDirectory;
    this.#firsts = firsts;
    this.#running = service.run(this.#stop.signal);
  }

  /** `acknowledged`: called with the sequence numbers that a sink has acknowledged. */
  static async start(
    t: Pick<TestContext, "after">,
    journal: string,
    sinks: readonly SinkEntry[],
    acknowledged: (sequences: readonly number[]) => void = () => undefined,
  ) {
    const file = join(dirname(journal), "certwire.json");
    const text = JSON.stringify({
      journal: { directory: journal },
      state: { directory: "state" },
      sinks,
    });
    const config = parseConfig(file, text);
    const firsts = new Map<string, number>();
    const service = await Service.create({
      config,
      log: pino({ level: "silent" }),
      observe: (sink, events) => {
        const sequences = events.map(sequenceOf);
        acknowledged(sequences);
        firsts.set(sink, Math.min(firsts.get(sink) ?? Number.POSITIVE_INFINITY, ...sequences));
      },
    });
    const running = new RunningService(service, config.state.directory, firsts);
    t.after(() => running.stop());
    return running;
  }

  /** Counters and state of one sink. */
  stats(sink: string): SinkStats {
    const found = this.#service.stats().find((each) => each.sink === sink);
    if (found === undefined) throw new Error(`the service has no sink ${sink}`);
    return found;
  }

  /** The first event of the journal that this service has published to a sink: its sequence number. */
  firstSequence(sink: string): number | undefined {
    return this.#firsts.get(sink);
  }

  /** Resolves when a sink has acknowledged this many events since the start of this service. */
  async acknowledged(sink: string, events: number): Promise<void> {
    const holds = () => this.stats(sink).acknowledgedEvents >= events;
    await until(holds, `${sink} has acknowledged ${events} events`, {
      state: () => this.stats(sink),
    });
  }

  /** Resolves when a sink has acknowledged everything up to a sequence number. */
  async reached(sink: string, sequence: number): Promise<void> {
    const holds = () => Number(this.stats(sink).position?.sequence ?? 0n) >= sequence;
    await until(holds, `${sink} is at ${sequence}`, { state: () => this.stats(sink) });
  }

  /** The cursor of a sink on disk. */
  async checkpoint(sink: string): Promise<JournalPosition | null> {
    return (await readCheckpoint(stateLayout(this.#stateDirectory).checkpoint(sink))).position;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}
