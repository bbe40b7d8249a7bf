import fc from "fast-check";
import type { Loss, TopicRight } from "../kafka.ts";

/** How large the records of a send are: bytes of each value, or a send of one record by what it is above the limit. */
type Size = { readonly bytes: number } | { readonly aboveLimit: number };

/** A producer that connects, again where it was connected before; that disconnects; or another in its place. */
export interface ProducerStep {
  readonly do: "connect" | "disconnect" | "replace";
  readonly producer: number;
}

/** Something that happens in a conformance run of Kafka. Topics, producers and nodes are numbered. */
export type KafkaStep =
  | {
      readonly do: "create";
      readonly topic: number;
      readonly partitions: number;
      readonly maxMessageBytes: number;
      readonly minInSync: number;
      readonly maxDifferenceMs: number;
    }
  | { readonly do: "examine"; readonly topic: number }
  | { readonly do: "delete"; readonly topic: number }
  | { readonly do: "grow"; readonly topic: number }
  | { readonly do: "limit"; readonly topic: number; readonly bytes: number }
  | { readonly do: "deny" | "allow"; readonly topic: number; readonly right: TopicRight }
  | ProducerStep
  | {
      readonly do: "send";
      readonly producer: number;
      readonly topic: number;
      readonly partition: number;
      readonly count: number;
      readonly size: Size;
      /** How far their time is ahead of the clock, in ms; absent: they have the time of the client. */
      readonly aheadMs?: number;
      /** What becomes of the first requests of the send; kafkajs makes two at most. Absent: none is lost. */
      readonly loses?: readonly Loss[];
    }
  /** Limits what the user may send to the broker in a second; without `bytesPerSecond` it may send anything again. */
  | { readonly do: "quota"; readonly bytesPerSecond?: number }
  | { readonly do: "stop-node" | "start-node"; readonly node: number };

const topic = fc.nat({ max: 1 });
const producer = fc.nat({ max: 1 });
const right = fc.constantFrom<TopicRight>("Describe", "Write");
const limit = fc.constantFrom(1000, 1200, 4000, 1_048_588);
const minute = 60_000;

const create = fc.record({
  do: fc.constant("create" as const),
  topic,
  partitions: fc.integer({ min: 1, max: 3 }),
  maxMessageBytes: limit,
  minInSync: fc.integer({ min: 1, max: 3 }),
  maxDifferenceMs: fc.constantFrom(10 * minute, 60 * minute),
});
const onTopic = fc.record({ do: fc.constantFrom("delete" as const, "grow" as const), topic });
const examine = fc.record({ do: fc.constant("examine" as const), topic });
const limits = fc.record({ do: fc.constant("limit" as const), topic, bytes: limit });
const rights = fc.record({
  do: fc.constantFrom("deny" as const, "allow" as const, "allow" as const),
  topic,
  right,
});
const producers = fc.record({
  do: fc.constantFrom(
    "connect" as const,
    "connect" as const,
    "disconnect" as const,
    "replace" as const,
  ),
  producer,
});
const size: fc.Arbitrary<Size> = fc.oneof(
  fc.record({ bytes: fc.constantFrom(0, 10, 64, 300, 900) }),
  fc.record({ aboveLimit: fc.integer({ min: -1, max: 1 }) }),
);
const loss = fc.constantFrom<Loss>("request", "request-cut", "answer", "answer-cut", "answer-late");
const send = fc.record(
  {
    do: fc.constant("send" as const),
    producer,
    topic,
    partition: fc.nat({ max: 3 }),
    count: fc.integer({ min: 1, max: 5 }),
    size,
    aheadMs: fc.constantFrom(-90 * minute, -30 * minute, -minute, minute, 30 * minute, 90 * minute),
  },
  { requiredKeys: ["do", "producer", "topic", "partition", "count", "size"] },
);
/** A send that nothing but a loss can keep from its partition: it is compared whatever else a script does. */
const lossySend = fc.record({
  do: fc.constant("send" as const),
  producer,
  topic: fc.constant(0),
  partition: fc.nat({ max: 1 }),
  count: fc.integer({ min: 1, max: 2 }),
  size: fc.record({ bytes: fc.constantFrom(10, 64) }),
  loses: fc.array(loss, { minLength: 1, maxLength: 2 }),
});
const quota = fc.record(
  { do: fc.constant("quota" as const), bytesPerSecond: fc.constantFrom(500, 4000) },
  { requiredKeys: ["do"] },
);
/** Two sends on one connection, the second of which has to wait for a quota. */
const throttled: fc.Arbitrary<readonly KafkaStep[]> = fc
  .record({ producer, partition: fc.nat({ max: 1 }), second: fc.integer({ min: 1, max: 3 }) })
  .map(({ second, ...where }) => {
    const each = { do: "send", topic: 0, size: { bytes: 900 }, ...where } as const;
    return [
      { do: "quota", bytesPerSecond: 500 },
      { ...each, count: 3 },
      { ...each, count: second },
    ];
  });
const nodes = fc.record({
  do: fc.constantFrom("stop-node" as const, "start-node" as const),
  node: fc.integer({ min: 1, max: 3 }),
});

const beginning: readonly KafkaStep[] = [
  {
    do: "create",
    topic: 0,
    partitions: 2,
    maxMessageBytes: 4000,
    minInSync: 1,
    maxDifferenceMs: 60 * minute,
  },
  { do: "connect", producer: 0 },
];

/**
 * Scripts for a cluster. `stopsNodes`: nodes are killed and started, which takes seconds each time, and no quota is set:
 * each node counts for itself.
 */
export function kafkaScripts(stopsNodes: boolean): fc.Arbitrary<readonly KafkaStep[]> {
  const step = fc.oneof(
    { arbitrary: send, weight: 12 },
    { arbitrary: lossySend, weight: 4 },
    { arbitrary: create, weight: 3 },
    { arbitrary: onTopic, weight: 2 },
    { arbitrary: examine, weight: 1 },
    { arbitrary: producers, weight: 2 },
    { arbitrary: limits, weight: 1 },
    { arbitrary: rights, weight: 2 },
    stopsNodes ? { arbitrary: nodes, weight: 2 } : { arbitrary: quota, weight: 2 },
  );
  const steps = fc.oneof(
    { arbitrary: step.map((each) => [each]), weight: 25 },
    ...(stopsNodes ? [] : [{ arbitrary: throttled, weight: 1 }]),
  );
  return fc
    .array(steps, { minLength: 10, maxLength: 40, size: "max" })
    .map((rest) => [...beginning, ...rest.flat()]);
}
