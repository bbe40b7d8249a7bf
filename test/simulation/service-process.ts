import type { Logger } from "pino";
import { parseConfig, type ResolvedConfig } from "../../src/config/load.ts";
import { Service, type ServiceIntervals } from "../../src/service/service.ts";
import type { Pace, Scenario, SinkName } from "./scenario.ts";
import type { SimulatedProcess } from "./scheduler.ts";
import { nameOf, type World } from "./world.ts";

/** Directories of the service on the simulated disk. */
export const stateDirectory = "/state";
export const fileDirectory = "/events";

/** The most that the service may have in flight for a sink. */
export const maxInFlightEvents = 500;

const minutes = 60_000;

/** How often a service checks what changes without an event. */
const paces: Readonly<Record<Pace, Paces>> = {
  real: { retryMaxMs: 15_000, partitionCheckSeconds: 30, intervals: {} },
  slow: {
    retryMaxMs: 2 * minutes,
    partitionCheckSeconds: 900,
    intervals: {
      retentionMs: 15 * minutes,
      healthLogMs: 60 * minutes,
      statusFileMs: 60 * minutes,
      connectionCheckMs: 5 * minutes,
      progressLogMs: 120 * minutes,
    },
  },
};

interface Paces {
  readonly retryMaxMs: number;
  readonly partitionCheckSeconds: number;
  readonly intervals: ServiceIntervals;
}

const sinks: Readonly<Record<SinkName, object>> = {
  kafka: { maxInFlightEvents },
  rabbitmq: {
    url: "amqp://guest@rabbitmq-1,rabbitmq-2/?exchange=events",
    maxInFlightEvents,
  },
  file: {
    url: "file:///events",
    maxFiles: 0,
    maxFileBytes: 200_000,
    maxInFlightEvents,
  },
};

const brokers = "kafka://kafka-1:9092,kafka-2:9092";
const topology = { quorumQueues: [{ name: "consumer" }] };

/** The limits of the journal, in MiB. */
export interface SpaceSettings {
  readonly maxMegabytes: number;
  readonly minFreeMegabytes: number;
}

/** Configurations by their text. */
const parsed = new Map<string, ResolvedConfig>();

/** The configuration that a service has in a scenario. */
export function configOf(
  { sinks: names, declaresTopology, pace }: Scenario,
  world: World,
  { maxMegabytes, minFreeMegabytes }: SpaceSettings,
): ResolvedConfig {
  const { retryMaxMs, partitionCheckSeconds } = paces[pace];
  const text = JSON.stringify({
    journal: { directory: "/journal", maxMegabytes, minFreeMegabytes },
    state: { directory: stateDirectory },
    sinks: names.map((name) => ({
      ...sinks[name],
      name: nameOf(name, world),
      retryMaxMs,
      ...(name === "kafka" && { url: `${brokers}/${world.topic}`, partitionCheckSeconds }),
      ...(name === "rabbitmq" && declaresTopology && { topology }),
    })),
  });
  let config = parsed.get(text);
  if (config === undefined) parsed.set(text, (config = parseConfig("/certwire.json", text)));
  return config;
}

/** A line that the service has logged. */
export interface LoggedLine {
  readonly at: number;
  /** Name of the process that logged it. */
  readonly process: string;
  readonly level: string;
  readonly sink: string | undefined;
  readonly message: string;
  readonly fields: object;
}

/** A service in a process of its own. */
export class ServiceProcess {
  readonly process: SimulatedProcess;
  readonly #stop = new AbortController();
  service: Service | undefined;
  /** How it has ended; `undefined` while it runs. */
  ended: { readonly error?: unknown } | undefined;
  /** When it was told to stop, in ms of virtual time. */
  stoppedAt: number | undefined;

  constructor(
    world: World,
    name: string,
    { config, pace }: { readonly config: ResolvedConfig; readonly pace: Pace },
    lines: LoggedLine[],
  ) {
    this.process = { name, isAlive: true };
    const { scheduler } = world;
    const { intervals } = paces[pace];
    const run = async (): Promise<void> => {
      this.service = await Service.create({
        config,
        log: logTo({ world, name, lines }),
        intervals,
      });
      await this.service.run(this.#stop.signal);
    };
    const start = (): void =>
      void run().then(
        () => (this.ended = {}),
        (error: unknown) => (this.ended = { error }),
      );
    scheduler.after(0, start, this.process);
  }

  get isRunning(): boolean {
    return this.process.isAlive && this.ended === undefined;
  }

  /** Asks it to end. */
  stop(world: World): void {
    this.stoppedAt = world.scheduler.now;
    const stop = (): void => {
      this.#stop.abort();
      world.journal.stopped(this.process);
    };
    world.scheduler.after(0, stop, this.process);
  }

  /** Ends what is left of one that was killed, at the end of a simulation. */
  abort(): void {
    this.#stop.abort();
  }

  /** Ends it in the middle of whatever it does. */
  kill(world: World): void {
    this.process.isAlive = false;
    world.journal.killed(this.process);
    world.disk.killed(this.process);
    world.kafka.killed(this.process);
    world.rabbitmq.killed(this.process);
  }
}

interface LogPlace {
  readonly world: World;
  readonly name: string;
  readonly lines: LoggedLine[];
}

function logTo(place: LogPlace, sink?: string): Logger {
  const { world, name, lines } = place;
  const at = (level: string) => (fields: object, message: string) => {
    if (level === "debug") return;
    lines.push({ at: world.scheduler.now, process: name, level, sink, message, fields });
  };
  return {
    ...Object.fromEntries(
      ["trace", "debug", "info", "warn", "error", "fatal"].map((level) => [level, at(level)]),
    ),
    child: (bindings: { readonly sink?: string }) => logTo(place, bindings.sink),
  } as unknown as Logger;
}
