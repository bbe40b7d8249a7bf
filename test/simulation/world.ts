import type { Disk } from "./disk.ts";
import type { JournalModel } from "./journal.ts";
import type { KafkaModel } from "./kafka.ts";
import type { RabbitMqModel } from "./rabbitmq.ts";
import type { Random } from "./random.ts";
import type { SinkName } from "./scenario.ts";
import type { Scheduler } from "./scheduler.ts";

/** Everything around the service: what the modules in `stand-ins` show it in the place of the real thing. */
export interface World {
  readonly scheduler: Scheduler;
  /** Draws what the world does: delays, losses, how much of a write survives. */
  readonly random: Random;
  readonly disk: Disk;
  readonly journal: JournalModel;
  readonly kafka: KafkaModel;
  readonly rabbitmq: RabbitMqModel;
  /** What the time of day is ahead of virtual time, in ms. */
  wallOffsetMs: number;
  /** Kafka's topic of the configuration now. */
  topic: string;
  /** Names of the sinks in the configuration now. */
  readonly names: Map<SinkName, string>;
}

/** What a sink is called in the configuration. */
export function nameOf(sink: SinkName, { names }: World): string {
  return names.get(sink) ?? sink;
}

/** 2026-03-01T12:00:00Z, when every simulation starts, in ms since 1970. */
export const startMs = Date.UTC(2026, 2, 1, 12);

let current: World | undefined;

/** The world of the simulation that runs now; there is one at a time. */
export function world(): World {
  if (current === undefined) throw new Error("no simulation is running");
  return current;
}

/** Makes a world the one that the stand-ins show. */
export function enter(next: World): void {
  current = next;
}

/** The time of day in the world, in ms since 1970. */
export function timeOfDay({ scheduler, wallOffsetMs }: World): number {
  return startMs + Math.floor(scheduler.now) + wallOffsetMs;
}
