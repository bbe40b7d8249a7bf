import { z } from "zod";
import { mebibyte } from "../../units.ts";
import { brokerShape, type ResolvedBrokerOptions, resolveBroker } from "../broker-options.ts";
import {
  commonShape,
  parsedString,
  type ResolvedSinkOptions,
  resolveCommon,
} from "../common-options.ts";
import {
  passwordOf,
  type ReadSecret,
  type ResolveContext,
  secretReference,
} from "../secret-reference.ts";
import { type HostPort, invalidUrl, parseServerUrl } from "../server-url.ts";

/** Longest name, routing key or vhost in AMQP, in bytes of UTF-8. */
const maxNameBytes = 255;
/** A kind of event with the longest name; a test compares it with all of them. */
export const longestKind = "certificate.unrevoked";

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= maxNameBytes;
}

const name = z.string().min(1).refine(fits, `must have at most ${maxNameBytes} bytes`);

const bindingKey = z
  .string()
  .refine(fits, `must have at most ${maxNameBytes} bytes`)
  .default("#")
  .describe("Topic pattern of the routing keys that it receives.");

const stream = z.strictObject({
  name: name.describe("Name of the stream."),
  bindingKey,
  maxAge: z
    .string()
    .regex(/^\d+[YMDhms]$/)
    .default("90D")
    .describe("How long events are kept: a number and one of Y M D h m s."),
  maxLengthBytes: z.int().min(1).optional().describe("Maximum size of the stream, in bytes."),
});

const quorumQueue = z.strictObject({
  name: name.describe("Name of the queue."),
  bindingKey,
  deliveryLimit: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      "How often consumers may give an event back before the broker takes it out of the queue. Default: without limit, on RabbitMQ 4 too, whose own default is 20.",
    ),
  deadLetterExchange: name
    .optional()
    .describe(
      "Exchange that gets the events that the broker takes out of the queue. It must exist. Without it they are gone.",
    ),
});

const topology = z.strictObject({
  stream: stream.optional().describe("A stream, for consumers that read events more than once."),
  quorumQueues: z.array(quorumQueue).default([]).describe("Quorum queues, one per consumer."),
});

/** What is declared on the broker: a durable topic exchange, and the queues that are bound to it. */
export type RabbitMqTopology = z.infer<typeof topology>;

/** Entry of a RabbitMQ sink. */
export const rabbitmqSinkOptions = z
  .strictObject({
    ...commonShape({
      batchEvents: 500,
      batchBytes: 4 * mebibyte,
      lingerMs: 5,
      maxEventBytes: 4 * mebibyte,
    }),
    url: parsedString(parseRabbitMqUrl).describe(
      "`amqp://[user@]host1:5672,host2:5672/vhost?exchange=name`, with TLS `amqps://...`. The default vhost is `/`, the default exchange `certwire`.",
    ),
    password: secretReference.optional().describe("Password of the URL's user, by reference."),
    ...brokerShape("amqps"),
    routingKey: z
      .string()
      .max(200)
      .default("{kind}")
      .refine(
        (key) => fits(key.replaceAll("{kind}", longestKind)),
        `must have at most ${maxNameBytes} bytes with the longest kind, ${longestKind}`,
      )
      .describe("Routing key; `{kind}` stands for the kind of event, such as certificate.issued."),
    window: z
      .int()
      .min(1)
      .max(10_000)
      .default(400)
      .describe(
        "Maximum unconfirmed events of all lanes together; always at most one per partition key.",
      ),
    lanes: z.int().min(1).max(32).default(4).describe("Channels that work in parallel."),
    heartbeatSeconds: z
      .int()
      .min(1)
      .max(120)
      .default(15)
      .describe(
        "Heartbeat interval, in s; the connection is dropped after two intervals of silence.",
      ),
    confirmTimeoutMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(30_000)
      .describe(
        "Longest wait for the broker's confirm, in ms. Time while the broker blocks the connection does not count.",
      ),
    topology: topology
      .optional()
      .describe(
        "Declared each time the sink connects, and at most once a minute when no queue takes an event; without it nothing is declared.",
      ),
  })
  .superRefine((entry, context) => {
    if (entry.tls !== undefined && !entry.url.startsWith("amqps:")) {
      context.addIssue({ code: "custom", path: ["tls"], message: "needs an amqps:// URL" });
    }
    if (entry.password !== undefined && !/^amqps?:\/\/[^@/?#]+@/.test(entry.url)) {
      const message = "the URL names no user for the password";
      const params = { hint: "Put the user before the hosts: amqp://user@host" };
      context.addIssue({ code: "custom", path: ["url"], message, params });
    }
    // RabbitMQ's own guest has a known password; any other user would be sent with it.
    if (entry.password === undefined && /^amqps?:\/\/(?!guest@)[^@:/?#]+@/.test(entry.url)) {
      const message = "the URL names a user, but there is no password";
      const params = { hint: 'Add "password": { "file": "path" }.' };
      context.addIssue({ code: "custom", path: ["url"], message, params });
    }
  })
  .describe("Publishes events to a RabbitMQ exchange.");

/** Options of a RabbitMQ sink, resolved. */
export interface ResolvedRabbitMqSinkOptions extends ResolvedSinkOptions, ResolvedBrokerOptions {
  /** Nodes of the cluster; after a failure the next one is tried. Default port 5672, with TLS 5671. */
  readonly hosts: readonly HostPort[];
  /** Default `guest`. */
  readonly username: string;
  /** Reads the password, for each connection; never log it. Throws a CertwireError. Default `guest`. */
  readonly password: ReadSecret;
  /** False when the entry has no password, so that RabbitMQ's own `guest` is used. */
  readonly hasPassword: boolean;
  /** Default `/`. */
  readonly vhost: string;
  /** Must exist unless there is a `topology`. Default `certwire`. */
  readonly exchange: string;
  /** `{kind}` stands for the kind of event. Default `{kind}`. */
  readonly routingKey: string;
  /** Maximum unconfirmed events of all lanes together. Default 400. */
  readonly window: number;
  /** Channels that work in parallel. Default 4. */
  readonly lanes: number;
  /** Heartbeat interval, in s. Default 15. */
  readonly heartbeatSeconds: number;
  /** Longest wait for a confirm, in ms. Default 30000. */
  readonly confirmTimeoutMs: number;
  /** What is declared each time the sink connects. Default: nothing. */
  readonly topology?: RabbitMqTopology;
}

/** Resolves an entry that the schema has accepted. */
export function resolveRabbitMqSink(
  entry: z.infer<typeof rabbitmqSinkOptions>,
  context: ResolveContext,
): ResolvedRabbitMqSinkOptions {
  const { isSecure, username = "guest", ...address } = parseRabbitMqUrl(entry.url);
  const { routingKey, window, lanes, heartbeatSeconds, confirmTimeoutMs } = entry;
  return {
    ...resolveCommon(entry),
    ...resolveBroker(entry, isSecure, context),
    ...address,
    username,
    password: entry.password === undefined ? () => "guest" : passwordOf(entry.password, context),
    hasPassword: entry.password !== undefined,
    routingKey,
    window,
    lanes,
    heartbeatSeconds,
    confirmTimeoutMs,
    ...(entry.topology && { topology: entry.topology }),
  };
}

function parseRabbitMqUrl(text: string) {
  const { scheme, username, hosts, path, query } = parseServerUrl(text, {
    amqp: 5672,
    amqps: 5671,
  });
  for (const parameter of query.keys()) {
    if (parameter !== "exchange") {
      throw invalidUrl(`the URL has an unknown parameter "${parameter}"`);
    }
  }
  if (username === "") throw invalidUrl("the URL names an empty user");
  const [exchange = "certwire", ...others] = query.getAll("exchange");
  if (others.length > 0) throw invalidUrl("the URL names more than one exchange");
  if (exchange === "" || !fits(exchange)) {
    throw invalidUrl(`the exchange's name must have 1 to ${maxNameBytes} bytes`);
  }
  const vhost = path || "/";
  if (!fits(vhost)) throw invalidUrl(`the vhost's name must have at most ${maxNameBytes} bytes`);
  return { isSecure: scheme === "amqps", username, hosts, vhost, exchange };
}
