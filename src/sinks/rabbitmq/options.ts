import { z } from "zod";
import {
  type ContentMode,
  commonShape,
  contentMode,
  parsedString,
  type ResolvedSinkOptions,
  resolveCommon,
} from "../common-options.ts";
import { type ResolveContext, secretReference } from "../secret-reference.ts";
import { type HostPort, invalidUrl, parseServerUrl } from "../server-url.ts";
import { type ResolvedTlsOptions, resolveTls, tlsOptions } from "../tls-options.ts";

const mebibyte = 1024 * 1024;

const stream = z.strictObject({
  name: z.string().min(1).describe("Name of the stream."),
  bindingKey: z.string().default("#").describe("Which routing keys go there."),
  maxAge: z
    .string()
    .regex(/^\d+[YMDhms]$/)
    .default("90D")
    .describe("How long events are kept: a number and one of Y M D h m s."),
  maxLengthBytes: z.int().min(1).optional().describe("Largest size of the stream, in bytes."),
});

const quorumQueue = z.strictObject({
  name: z.string().min(1).describe("Name of the queue."),
  bindingKey: z.string().default("#").describe("Which routing keys go there."),
});

const topology = z.strictObject({
  stream: stream.optional().describe("A stream, for consumers that read events again."),
  quorumQueues: z.array(quorumQueue).default([]).describe("Quorum queues, one a consumer."),
});

/** What is declared on the broker: a durable topic exchange, and what is bound to it. */
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
      "`amqp://[user@]host1:5672,host2:5672/vhost?exchange=name`, with TLS `amqps://...`. Without a vhost `/`, without an exchange `certwire`.",
    ),
    password: secretReference.optional().describe("Password of the URL's user."),
    mode: contentMode,
    routingKey: z
      .string()
      .max(200)
      .default("{kind}")
      .describe("Routing key; `{kind}` stands for the event's kind, such as certificate.issued."),
    window: z
      .int()
      .min(1)
      .max(10_000)
      .default(400)
      .describe("Most unconfirmed events of all lanes; at most one for each partition key."),
    lanes: z.int().min(1).max(32).default(4).describe("Channels at work at the same time."),
    tls: tlsOptions.optional().describe("TLS options of an `amqps://` URL."),
    heartbeatSeconds: z
      .int()
      .min(1)
      .max(120)
      .default(15)
      .describe("Heartbeat interval; a silent broker is given up after two, in s."),
    connectTimeoutMs: z
      .int()
      .min(100)
      .max(300_000)
      .default(10_000)
      .describe("Longest wait for a connection, in ms."),
    confirmTimeoutMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(30_000)
      .describe(
        "Longest wait for the broker's confirm, in ms; a blocked connection stops the clock.",
      ),
    topology: topology
      .optional()
      .describe("Declared at each connect; without it nothing is declared."),
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
  })
  .describe("Publishes events to a RabbitMQ exchange.");

/** Options of a RabbitMQ sink, resolved. */
export interface ResolvedRabbitMqSinkOptions extends ResolvedSinkOptions {
  readonly hosts: readonly HostPort[];
  readonly username: string;
  readonly password: string;
  /** False when user and password are RabbitMQ's own `guest`. */
  readonly hasPassword: boolean;
  readonly vhost: string;
  readonly exchange: string;
  readonly mode: ContentMode;
  readonly routingKey: string;
  readonly window: number;
  readonly lanes: number;
  /** Present exactly when the URL says `amqps:`. */
  readonly tls?: ResolvedTlsOptions;
  readonly heartbeatSeconds: number;
  readonly connectTimeoutMs: number;
  readonly confirmTimeoutMs: number;
  readonly topology?: RabbitMqTopology;
}

/** Resolves an entry that the schema has accepted. */
export function resolveRabbitMqSink(
  entry: z.infer<typeof rabbitmqSinkOptions>,
  context: ResolveContext,
): ResolvedRabbitMqSinkOptions {
  const { secure, username, ...address } = parseRabbitMqUrl(entry.url);
  return {
    ...resolveCommon(entry),
    ...address,
    username: username ?? "guest",
    password: entry.password === undefined ? "guest" : context.secret(entry.password),
    hasPassword: entry.password !== undefined,
    mode: entry.mode,
    routingKey: entry.routingKey,
    window: entry.window,
    lanes: entry.lanes,
    ...(secure && { tls: resolveTls(entry.tls ?? {}, context) }),
    heartbeatSeconds: entry.heartbeatSeconds,
    connectTimeoutMs: entry.connectTimeoutMs,
    confirmTimeoutMs: entry.confirmTimeoutMs,
    ...(entry.topology && { topology: entry.topology }),
  };
}

function parseRabbitMqUrl(text: string) {
  const { scheme, username, hosts, path, query } = parseServerUrl(text, {
    amqp: 5672,
    amqps: 5671,
  });
  for (const name of query.keys()) {
    if (name !== "exchange") throw invalidUrl(`the URL has an unknown parameter "${name}"`);
  }
  const exchange = query.get("exchange") ?? "certwire";
  if (exchange === "" || exchange.length > 127) {
    throw invalidUrl("the exchange's name must have 1 to 127 characters");
  }
  return { secure: scheme === "amqps", username, hosts, vhost: path || "/", exchange };
}
