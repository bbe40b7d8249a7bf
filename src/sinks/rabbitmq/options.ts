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
import { assertExchange, assertRoutingKey, maxNameBytes } from "./names.ts";

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

const routingKey = parsedString(assertRoutingKey);

/** What is declared on the broker: a durable topic exchange, and the queues that are bound to it. */
export type RabbitMqTopology = z.infer<typeof topology>;

/** Where the events of a route go. */
export const rabbitmqRoute = z
  .strictObject({
    exchange: parsedString(assertExchange)
      .optional()
      .describe(
        "Exchange of the events, which must exist. Default: that of the sink. `{kind}`, `{template}` and `{ca}` stand for values of the event.",
      ),
    routingKey: routingKey
      .optional()
      .describe(
        "Routing key of the events, with the same placeholders. Default: that of the sink.",
      ),
  })
  .refine(({ exchange, routingKey: key }) => exchange !== undefined || key !== undefined, {
    error: "goes nowhere else: give exchange or routingKey",
    // An unknown key says enough.
    when: ({ issues }) => issues.length === 0,
  });

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
      "`amqp://[user@]host1:5672,host2:5672/vhost?exchange=name`, with TLS `amqps://...`. The default vhost is `/`, the default exchange `certwire`. The exchange may hold `{kind}`, `{template}` and `{ca}`.",
    ),
    password: secretReference.optional().describe("Password of the URL's user, by reference."),
    ...brokerShape("amqps"),
    routes: z.array(rabbitmqRoute).min(1).optional(),
    routingKey: routingKey
      .default("{kind}")
      .describe(
        "Routing key. `{kind}` stands for the kind of event, such as certificate.issued, `{template}` for its template, `{ca}` for the CA.",
      ),
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
    if (entry.topology !== undefined && /[?&]exchange=[^&]*(\{|%7B)/i.test(entry.url)) {
      const message = "needs an exchange without placeholders";
      const params = { hint: "Declare the exchanges on the broker, and remove `topology`." };
      context.addIssue({ code: "custom", path: ["topology"], message, params });
    }
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
  /**
   * Exchange of the events that fit no route, with its placeholders. Must exist unless there is a `topology`. Default
   * `certwire`.
   */
  readonly exchange: string;
  /** Routing key of the events that fit no route, with its placeholders. Default `{kind}`. */
  readonly routingKey: string;
  /** Exchange and routing key of each route, with their placeholders. Default: none. */
  readonly routes: readonly { readonly exchange: string; readonly routingKey: string }[];
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
  const { window, lanes, heartbeatSeconds, confirmTimeoutMs } = entry;
  const own = { exchange: address.exchange, routingKey: entry.routingKey };
  return {
    ...resolveCommon(entry),
    ...resolveBroker(entry, isSecure, context),
    ...address,
    username,
    password: entry.password === undefined ? () => "guest" : passwordOf(entry.password, context),
    hasPassword: entry.password !== undefined,
    routingKey: own.routingKey,
    routes: entry.routes?.map((route) => routeOf(route, own)) ?? [],
    window,
    lanes,
    heartbeatSeconds,
    confirmTimeoutMs,
    ...(entry.topology && { topology: entry.topology }),
  };
}

function routeOf(
  { exchange, routingKey: key }: z.infer<typeof rabbitmqRoute>,
  own: { readonly exchange: string; readonly routingKey: string },
) {
  return { exchange: exchange ?? own.exchange, routingKey: key ?? own.routingKey };
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
  assertExchange(exchange);
  const vhost = path || "/";
  if (!fits(vhost)) throw invalidUrl(`the vhost's name must have at most ${maxNameBytes} bytes`);
  return { isSecure: scheme === "amqps", username, hosts, vhost, exchange };
}
