import fc from "fast-check";

/** Something that happens in a conformance run of a cluster of RabbitMQ. Queues and nodes are numbered. */
export type ClusterStep =
  | {
      readonly do: "declare";
      readonly queue: number;
      readonly kind: "classic" | "quorum";
      /** The node of a classic queue, or of the first leader of a quorum queue. */
      readonly node: number;
    }
  /** One message for each of these queues. */
  | { readonly do: "publish"; readonly queues: readonly number[] }
  /** Another channel in the place of the one before, which stays. */
  | { readonly do: "open" }
  | { readonly do: "stop-node" | "start-node"; readonly node: number };

const does = <Name extends string>(...names: Name[]) => fc.constantFrom(...names);
/** Not the first, to which the publisher is connected. */
const node = fc.constantFrom(2, 3);
const kind = does("classic", "quorum");
const queue = fc.nat({ max: 2 });

const publish = fc.record({
  do: does("publish"),
  queues: fc.array(queue, { minLength: 1, maxLength: 5 }),
});
const open = fc.record({ do: does("open") });
const nodes = fc.record({ do: does("stop-node", "start-node"), node });

const step: fc.Arbitrary<ClusterStep> = fc.oneof(
  { weight: 5, arbitrary: publish },
  { weight: 1, arbitrary: open },
  { weight: 2, arbitrary: nodes },
);

/** The majority is lost and comes back, with messages on a channel of before and on one that is opened meanwhile. */
const lost: fc.Arbitrary<readonly ClusterStep[]> = fc
  .record({ first: node, back: node, messages: fc.tuple(publish, publish, publish) })
  .map(({ first, back, messages: [before, known, fresh] }) => [
    { do: "stop-node", node: first },
    before,
    { do: "stop-node", node: first === 2 ? 3 : 2 },
    known,
    { do: "open" },
    fresh,
    { do: "start-node", node: back },
  ]);

/** Scripts for three nodes, two of which are killed and started. */
export const rabbitMqClusterScripts: fc.Arbitrary<readonly ClusterStep[]> = fc
  .tuple(
    fc.tuple(kind, kind, fc.integer({ min: 1, max: 3 }), node),
    fc.array(step, { minLength: 2, maxLength: 6, size: "max" }),
    fc.oneof(lost, fc.array(step, { minLength: 2, maxLength: 6, size: "max" })),
    fc.array(step, { minLength: 1, maxLength: 4, size: "max" }),
  )
  .map(([[first, second, firstNode, secondNode], before, middle, after]) => [
    { do: "declare", queue: 0, kind: first, node: firstNode },
    { do: "declare", queue: 1, kind: second, node: secondNode },
    { do: "declare", queue: 2, kind: "quorum", node: 1 },
    // A channel of RabbitMQ 3.10 that begins while a leader is down is of no use for that queue.
    { do: "publish", queues: [0, 1, 2] },
    ...before,
    ...middle,
    ...after,
  ]);
