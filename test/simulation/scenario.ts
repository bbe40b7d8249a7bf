import fc from "fast-check";
import type { TopicRight } from "./kafka.ts";

/** The sinks that a scenario may have. */
export const sinkNames = ["kafka", "rabbitmq", "file"] as const;
export type SinkName = (typeof sinkNames)[number];

/** What happens at one step. Times are in ms; what is wrong is put right after `forMs`. */
export type Action =
  | { readonly do: "record"; readonly count: number; readonly bytes: number }
  | { readonly do: "record-undecodable" }
  | { readonly do: "restart-ca"; readonly how: "stop" | "kill"; readonly forMs: number }
  | { readonly do: "restart-service"; readonly how: "stop" | "kill"; readonly forMs: number }
  | { readonly do: "cut-power"; readonly forMs: number }
  | { readonly do: "start-second-service" }
  | { readonly do: "upgrade-exit-module"; readonly forMs: number }
  | { readonly do: "change-topic" }
  | { readonly do: "rename-sink"; readonly sink: SinkName }
  | { readonly do: "disk-fills"; readonly leftMegabytes: number; readonly forMs: number }
  | { readonly do: "remove-sink"; readonly sink: SinkName; readonly forMs: number }
  | { readonly do: "kafka-down"; readonly how: "refused" | "silent"; readonly forMs: number }
  | {
      readonly do: "kafka-faults";
      readonly lostAnswers: number;
      readonly lostRequests: number;
      readonly slowestMs: number;
      readonly forMs: number;
    }
  | { readonly do: "kafka-forbids"; readonly right: TopicRight; readonly forMs: number }
  | { readonly do: "kafka-refuses-times"; readonly forMs: number }
  | { readonly do: "kafka-quota"; readonly bytesPerSecond: number; readonly forMs: number }
  | { readonly do: "kafka-moves-leaders"; readonly electionMs: number }
  | {
      readonly do: "kafka-loses-replicas";
      /** True if each leader stores one more batch before it notices. */
      readonly late: boolean;
      readonly forMs: number;
    }
  | { readonly do: "kafka-deletes-topic"; readonly forMs: number }
  | { readonly do: "kafka-grows-topic" }
  | { readonly do: "kafka-limits-messages"; readonly bytes: number; readonly forMs: number }
  | { readonly do: "rabbitmq-down"; readonly how: "refused" | "silent"; readonly forMs: number }
  | {
      readonly do: "rabbitmq-faults";
      readonly lostConfirms: number;
      readonly slowestMs: number;
      readonly forMs: number;
    }
  | { readonly do: "rabbitmq-blocks"; readonly forMs: number }
  | { readonly do: "rabbitmq-mute"; readonly forMs: number }
  | { readonly do: "rabbitmq-forbids"; readonly forMs: number }
  | { readonly do: "rabbitmq-refuses-writes"; readonly forMs: number }
  | { readonly do: "rabbitmq-drops-connections" }
  | { readonly do: "rabbitmq-queue"; readonly is: "down" | "full"; readonly forMs: number }
  | {
      readonly do: "rabbitmq-loses-majority";
      /** True if the leader of the queue is on a node that is down. */
      readonly losesLeader: boolean;
      readonly forMs: number;
    }
  | { readonly do: "rabbitmq-deletes-exchange"; readonly forMs: number }
  | {
      readonly do: "rabbitmq-limits-channels";
      /** Of each connection, or of all connections of the user. */
      readonly of: "connection" | "user";
      readonly channels: number;
      readonly forMs: number;
    }
  | {
      readonly do: "rabbitmq-limits-connections";
      readonly connections: number;
      readonly forMs: number;
    }
  | { readonly do: "rabbitmq-limits-messages"; readonly bytes: number; readonly forMs: number }
  | { readonly do: "delete-file" }
  | {
      readonly do: "disk-fails";
      readonly code: "EIO" | "ENOSPC" | "EACCES";
      readonly share: number;
      readonly forMs: number;
    }
  | { readonly do: "disk-slow"; readonly slowestMs: number; readonly forMs: number }
  | { readonly do: "disk-hangs"; readonly forMs: number }
  | { readonly do: "late-frames"; readonly ms: number; readonly forMs: number }
  | { readonly do: "delete-segments"; readonly count: number }
  | { readonly do: "set-clock"; readonly byMs: number };

/** One step: what happens, and how long after the step before, in ms. */
export interface Step {
  readonly afterMs: number;
  readonly action: Action;
}

/**
 * How often the service checks what changes without an event, such as the size of the journal: as a real one does, or
 * rarely, for the scripts that take days.
 */
export type Pace = "real" | "slow";

/** A script of a simulation. Together with the seed of the world it says everything that happens. */
export interface Scenario {
  readonly seed: number;
  readonly sinks: readonly SinkName[];
  readonly rules: "linux" | "windows";
  readonly pace: Pace;
  /** True if the service declares exchange and queue, false if they are there. */
  readonly declaresTopology: boolean;
  /** Frames in a segment of the journal: with few of them, segments are deleted early. */
  readonly framesInSegment: number;
  readonly steps: readonly Step[];
}

const seconds = 1000;
const minutes = 60 * seconds;
const hours = 60 * minutes;

const shortMs = fc.oneof(
  fc.integer({ min: 0, max: 50 }),
  fc.integer({ min: 0, max: 5 * seconds }),
  fc.integer({ min: 0, max: 3 * minutes }),
);
const pauseMs = fc.oneof(
  { weight: 3, arbitrary: shortMs },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 40 * minutes }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 4 * hours }) },
);
const forMs = fc.oneof(shortMs, fc.integer({ min: 0, max: 2 * hours }));
const share = fc.constantFrom(0.02, 0.1, 0.3, 0.6, 1);
const slowestMs = fc.constantFrom(5, 200, 3000, 25_000);
const down = fc.constantFrom("refused" as const, "silent" as const);

function action<Name extends Action["do"], Rest extends object>(
  name: Name,
  rest: { [Key in keyof Rest]: fc.Arbitrary<Rest[Key]> },
) {
  return fc.record({ do: fc.constant(name), ...rest });
}

const bursts = (max: number, ...bytes: readonly number[]) =>
  action("record", { count: fc.integer({ min: 1, max }), bytes: fc.constantFrom(...bytes) });
const records = fc.oneof(
  { weight: 32, arbitrary: bursts(20, 0) },
  { weight: 7, arbitrary: bursts(150, 0) },
  { weight: 1, arbitrary: bursts(1500, 0, 0, 0, 3000) },
  { weight: 2, arbitrary: bursts(60, 3000, 40_000) },
  { weight: 1, arbitrary: bursts(12, 400_000) },
);

const ofService = [
  action("restart-ca", { how: fc.constantFrom("stop" as const, "kill" as const), forMs: shortMs }),
  action("restart-service", {
    how: fc.constantFrom("stop" as const, "kill" as const),
    forMs: fc.oneof(shortMs, fc.integer({ min: 0, max: 1 * hours })),
  }),
  action("cut-power", { forMs: shortMs }),
  action("start-second-service", {}),
  // The exit module comes first, and the service waits with what it does not know.
  action("upgrade-exit-module", { forMs }),
  action("rename-sink", { sink: fc.constantFrom(...sinkNames) }),
  action("remove-sink", { sink: fc.constantFrom(...sinkNames), forMs }),
  action("record-undecodable", {}),
  action("late-frames", { ms: fc.constantFrom(500, 5000), forMs }),
  action("delete-segments", { count: fc.integer({ min: 1, max: 3 }) }),
  action("set-clock", { byMs: fc.constantFrom(-2 * hours, -5 * seconds, 3 * seconds, 26 * hours) }),
];

const ofDisk = [
  action("disk-fails", {
    code: fc.constantFrom("EIO" as const, "ENOSPC" as const, "EACCES" as const),
    share,
    forMs,
  }),
  action("disk-slow", { slowestMs: fc.constantFrom(100, 2000), forMs: shortMs }),
  action("disk-hangs", { forMs: shortMs }),
  action("disk-fills", { leftMegabytes: fc.constantFrom(140, 160, 200), forMs }),
];

const ofKafka = [
  action("kafka-down", { how: down, forMs }),
  action("kafka-faults", { lostAnswers: share, lostRequests: share, slowestMs, forMs }),
  action("kafka-forbids", { right: fc.constantFrom("Describe" as const, "Write" as const), forMs }),
  action("kafka-refuses-times", { forMs }),
  action("kafka-quota", { bytesPerSecond: fc.constantFrom(500, 5000, 50_000), forMs }),
  action("kafka-moves-leaders", { electionMs: fc.constantFrom(10, 2000, 60_000) }),
  action("kafka-loses-replicas", { late: fc.boolean(), forMs }),
  action("kafka-deletes-topic", { forMs: shortMs }),
  action("kafka-grows-topic", {}),
  action("change-topic", {}),
  action("kafka-limits-messages", { bytes: fc.constantFrom(20_000, 200_000), forMs }),
];

const ofRabbitMq = [
  action("rabbitmq-down", { how: down, forMs }),
  action("rabbitmq-faults", { lostConfirms: share, slowestMs, forMs }),
  action("rabbitmq-blocks", { forMs }),
  action("rabbitmq-mute", { forMs }),
  action("rabbitmq-forbids", { forMs }),
  action("rabbitmq-refuses-writes", { forMs }),
  action("rabbitmq-drops-connections", {}),
  action("rabbitmq-queue", {
    is: fc.constantFrom("down" as const, "full" as const),
    // An event without a queue is tried for an hour before it can become a dead letter.
    forMs: fc.oneof(forMs, fc.integer({ min: 1 * hours, max: 4 * hours })),
  }),
  action("rabbitmq-loses-majority", { losesLeader: fc.boolean(), forMs }),
  action("rabbitmq-deletes-exchange", { forMs }),
  action("rabbitmq-limits-channels", {
    of: fc.constantFrom("connection" as const, "user" as const),
    channels: fc.integer({ min: 1, max: 3 }),
    forMs,
  }),
  action("rabbitmq-limits-connections", { connections: fc.integer({ min: 0, max: 1 }), forMs }),
  action("rabbitmq-limits-messages", { bytes: fc.constantFrom(200, 20_000, 200_000), forMs }),
];

// A job that has read it deletes it.
const ofFile = [action("delete-file", {})];

/** Any script. */
export const scenarios: fc.Arbitrary<Scenario> = fc
  .subarray([...sinkNames], { minLength: 1 })
  .chain((sinks) => {
    const broken = [
      ...(sinks.includes("kafka") ? ofKafka : []),
      ...(sinks.includes("rabbitmq") ? ofRabbitMq : []),
      ...(sinks.includes("file") ? ofFile : []),
    ];
    const anything = fc.oneof(
      { weight: 5, arbitrary: records },
      { weight: 2, arbitrary: fc.oneof(...ofService) },
      { weight: 1, arbitrary: fc.oneof(...ofDisk) },
      ...(broken.length > 0 ? [{ weight: 4, arbitrary: fc.oneof(...broken) }] : []),
    );
    const steps = (
      pause: fc.Arbitrary<number>,
      maxLength: number,
      maxForMs = Infinity,
    ): fc.Arbitrary<Step[]> => {
      const shortened = (anyAction: Action): Action =>
        "forMs" in anyAction ? { ...anyAction, forMs: anyAction.forMs % maxForMs } : anyAction;
      const step = fc.record({
        afterMs: pause,
        action: (anything as fc.Arbitrary<Action>).map(shortened),
      });
      return fc.array(step, { minLength: 1, maxLength, size: "max" });
    };
    const script = {
      seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      sinks: fc.constant(sinks),
      rules: fc.constantFrom("linux" as const, "windows" as const),
      declaresTopology: fc.boolean(),
      framesInSegment: fc.constantFrom(20, 200, 5000),
    };
    const close = (maxForMs: number) =>
      fc.record({
        ...script,
        pace: fc.constant("real" as const),
        steps: steps(shortMs, 24, maxForMs),
      });
    return fc.oneof(
      { weight: 7, arbitrary: close(10 * minutes) },
      // Now and then something is wrong for so long that what grows with each try shows.
      { weight: 1, arbitrary: close(2 * hours) },
      {
        weight: 16,
        arbitrary: fc.record({
          ...script,
          pace: fc.constant("slow" as const),
          steps: steps(pauseMs, 120),
        }),
      },
    );
  });
