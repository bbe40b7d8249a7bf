import { mebibyte } from "../../src/units.ts";
import { Disk } from "./disk.ts";
import { JournalModel } from "./journal.ts";
import { KafkaModel } from "./kafka.ts";
import { RabbitMqModel } from "./rabbitmq.ts";
import { Random } from "./random.ts";
import type { Scenario } from "./scenario.ts";
import { Scheduler } from "./scheduler.ts";
import { fileDirectory, type SpaceSettings } from "./service-process.ts";
import { enter, timeOfDay, type World } from "./world.ts";

/** Limits of the simulated journal. */
export const space: SpaceSettings = { maxMegabytes: 128, minFreeMegabytes: 64 };

/** Makes the world of a scenario, and the one that the stand-ins show. */
export function createWorld(scenario: Scenario): World {
  const scheduler = new Scheduler();
  const random = new Random(scenario.seed);
  const disk = new Disk(scheduler, random);
  disk.rules = scenario.rules;
  disk.prepare(fileDirectory);
  const limits = {
    segmentBytes: 4 * mebibyte,
    framesInSegment: scenario.framesInSegment,
    maxJournalBytes: space.maxMegabytes * mebibyte,
    minFreeBytes: space.minFreeMegabytes * mebibyte,
  };
  const journal: JournalModel = new JournalModel(disk, () => world, limits);
  const kafka = new KafkaModel(scheduler, random);
  // They differ in what becomes of messages for a queue whose node is down.
  const version = scenario.seed % 2 === 0 ? "4.0.5" : "3.10.8";
  const rabbitmq = new RabbitMqModel(scheduler, random, version);
  const [wallOffsetMs, topic, names] = [0, "events", new Map()];
  const brokers = { kafka, rabbitmq };
  const world: World = { scheduler, random, disk, journal, ...brokers, wallOffsetMs, topic, names };
  disk.timeOfDay = () => timeOfDay(world);
  kafka.createTopic(topic, 3);
  if (!scenario.declaresTopology) {
    rabbitmq.declareExchange("events");
    rabbitmq.declareQueue("consumer", { kind: "quorum" });
    rabbitmq.bind("consumer", "events", "#");
  }
  enter(world);
  return world;
}
