import fc from "fast-check";
import type { QueueKind } from "../rabbitmq.ts";

/** Something that happens in a conformance run of RabbitMQ. Exchanges, queues, connections and channels are numbered. */
export type RabbitMqStep =
  | { readonly do: "connect" | "disconnect"; readonly connection: number }
  | { readonly do: "open" | "close"; readonly channel: number }
  | {
      readonly do: "declare-exchange";
      readonly channel: number;
      readonly exchange: number;
      readonly type: "direct" | "fanout" | "topic";
    }
  | { readonly do: "check-exchange"; readonly channel: number; readonly exchange: number }
  | {
      readonly do: "declare-queue";
      readonly channel: number;
      readonly queue: number;
      readonly kind: QueueKind;
      readonly maxLength?: number;
    }
  | {
      readonly do: "bind";
      readonly channel: number;
      readonly exchange: number;
      readonly queue: number;
      readonly pattern: string;
    }
  | {
      readonly do: "publish";
      readonly channel: number;
      readonly exchange: number;
      readonly keys: readonly string[];
      readonly bytes: number;
      /** What is lost with the connection: the messages, or what the broker answers. Absent: nothing. */
      readonly loses?: MessageLoss;
    }
  | OperatorStep;

/** What a broken connection takes with it of a publish: all its messages, or all that the broker answers to them. */
export type MessageLoss = "messages" | "confirms";

/** Something that the operator of the broker does. */
export type OperatorStep =
  | { readonly do: "delete-queue"; readonly queue: number }
  | { readonly do: "delete-exchange" | "deny" | "allow"; readonly exchange: number }
  | { readonly do: "limit-bytes"; readonly bytes: number }
  | { readonly do: "limit-channels"; readonly channels: number }
  | SwitchStep;

/** Something that the operator does to the broker as a whole. */
export interface SwitchStep {
  readonly do:
    | "refuse-connections"
    | "accept-connections"
    | "refuse-channels"
    | "accept-channels"
    | "change-password"
    | "restore-password"
    | "block"
    | "unblock"
    | "restart";
}

const connection = fc.nat({ max: 1 });
const channel = fc.constantFrom(0, 0, 2, 1, 3);
const exchange = fc.constantFrom(0, 0, 0, 1);
const queue = fc.nat({ max: 2 });
const type = fc.constantFrom(
  "topic" as const,
  "topic" as const,
  "direct" as const,
  "fanout" as const,
);
const kind = fc.constantFrom<QueueKind>("classic", "quorum", "stream");
const key = fc.constantFrom("a", "a.b", "a.b.c", "b");
const pattern = fc.constantFrom("#", "a", "a.*", "a.#", "*.b", "#.c", "b");

const does = <Name extends string>(...names: Name[]) => fc.constantFrom(...names);

const messages = {
  channel,
  exchange,
  keys: fc.array(key, { minLength: 1, maxLength: 4 }),
  bytes: fc.constantFrom(0, 10, 999, 1000, 1001, 140_000),
};

const client: readonly fc.WeightedArbitrary<RabbitMqStep>[] = [
  {
    weight: 3,
    arbitrary: fc.record({ do: does("connect", "connect", "connect", "disconnect"), connection }),
  },
  { weight: 4, arbitrary: fc.record({ do: does("open", "open", "open", "close"), channel }) },
  { weight: 2, arbitrary: fc.record({ do: does("declare-exchange"), channel, exchange, type }) },
  { weight: 1, arbitrary: fc.record({ do: does("check-exchange"), channel, exchange }) },
  {
    weight: 3,
    arbitrary: fc.oneof(
      fc.record({ do: does("declare-queue"), channel, queue, kind }),
      fc.record({
        do: does("declare-queue"),
        channel,
        queue,
        kind: does<QueueKind>("classic"),
        maxLength: fc.integer({ min: 1, max: 4 }),
      }),
    ),
  },
  { weight: 3, arbitrary: fc.record({ do: does("bind"), channel, exchange, queue, pattern }) },
  {
    weight: 16,
    arbitrary: fc.record({ do: does("publish"), ...messages }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: does("publish"),
      ...messages,
      loses: does<MessageLoss>("messages", "confirms", "confirms"),
    }),
  },
];

const operator: readonly fc.WeightedArbitrary<RabbitMqStep>[] = [
  { weight: 1, arbitrary: fc.record({ do: does("delete-queue"), queue }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: does("delete-exchange", "deny", "allow", "allow"), exchange }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: does("limit-bytes"),
      bytes: fc.constantFrom(1000, 16_777_216, 16_777_216),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: does("limit-channels"), channels: fc.constantFrom(1, 2, 2047) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: does(
        "refuse-connections",
        "accept-connections",
        "accept-connections",
        "refuse-channels",
        "accept-channels",
        "accept-channels",
        "change-password",
        "restore-password",
        "restore-password",
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: does("block", "unblock", "unblock", "unblock") }) },
];

const restart: fc.WeightedArbitrary<RabbitMqStep> = {
  weight: 1,
  arbitrary: fc.record({ do: does("restart") }),
};

const beginning: readonly RabbitMqStep[] = [
  { do: "connect", connection: 0 },
  { do: "open", channel: 0 },
  { do: "declare-exchange", channel: 0, exchange: 0, type: "topic" },
];

/** Scripts for one node. `restarts`: the node is stopped and started, which takes seconds each time. */
export function rabbitMqScripts(restarts: boolean): fc.Arbitrary<readonly RabbitMqStep[]> {
  const limit = fc.constantFrom(undefined, 2, 5);
  const queues = fc.tuple(kind, kind, limit).map(([first, second, maxLength]): RabbitMqStep[] => [
    { do: "declare-queue", channel: 0, queue: 0, kind: first },
    { do: "bind", channel: 0, exchange: 0, queue: 0, pattern: "a.#" },
    {
      do: "declare-queue",
      channel: 0,
      queue: 1,
      kind: second,
      ...(maxLength !== undefined && second === "classic" && { maxLength }),
    },
    { do: "bind", channel: 0, exchange: 0, queue: 1, pattern: "#.c" },
  ]);
  const step = fc.oneof(...client, ...operator, ...(restarts ? [restart] : []));
  const steps = fc.array(step, { minLength: 20, maxLength: 60, size: "max" });
  return fc.tuple(queues, steps).map(([first, rest]) => [...beginning, ...first, ...rest]);
}
