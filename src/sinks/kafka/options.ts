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
import { invalidUrl, parseServerUrl } from "../server-url.ts";
import { type ResolvedTlsOptions, resolveTls, tlsOptions } from "../tls-options.ts";

const kibibyte = 1024;

const sasl = z.strictObject({
  mechanism: z.enum(["plain", "scram-sha-256", "scram-sha-512"]).describe("SASL mechanism."),
  username: z.string().min(1).describe("User name."),
  password: secretReference,
});

/** Entry of a Kafka sink. */
export const kafkaSinkOptions = z
  .strictObject({
    // A batch with its keys and headers stays below the broker's usual limit of 1 MiB.
    ...commonShape({
      batchEvents: 500,
      batchBytes: 768 * kibibyte,
      lingerMs: 5,
      maxEventBytes: 900 * kibibyte,
    }),
    url: parsedString(parseKafkaUrl).describe(
      "`kafka://host1:9092,host2:9092/topic`, with TLS `kafkas://...`.",
    ),
    mode: contentMode,
    compression: z.enum(["none", "gzip"]).default("none").describe("Compression of batches."),
    clientId: z.string().min(1).max(249).default("certwire").describe("Client ID on the broker."),
    sasl: sasl.optional().describe("Credentials; use them with `kafkas://` only."),
    tls: tlsOptions.optional().describe("TLS options of a `kafkas://` URL."),
    maxLanes: z
      .int()
      .min(1)
      .max(64)
      .default(6)
      .describe("Most producers at work at the same time; never more than partitions."),
    connectTimeoutMs: z
      .int()
      .min(100)
      .max(300_000)
      .default(10_000)
      .describe("Longest wait for a connection, in ms."),
    requestTimeoutMs: z
      .int()
      .min(1000)
      .max(300_000)
      .default(20_000)
      .describe("Longest wait for the broker's answer to one request, in ms."),
    partitionCheckSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(30)
      .describe("How often the topic's number of partitions is looked up, in s."),
  })
  .superRefine((entry, context) => {
    if (entry.tls !== undefined && !entry.url.startsWith("kafkas:")) {
      context.addIssue({ code: "custom", path: ["tls"], message: "needs a kafkas:// URL" });
    }
  })
  .describe("Publishes events to a Kafka topic.");

/** Options of a Kafka sink, resolved. */
export interface ResolvedKafkaSinkOptions extends ResolvedSinkOptions {
  /** `host:port` of each broker to start from. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly mode: ContentMode;
  readonly compression: "none" | "gzip";
  readonly clientId: string;
  readonly sasl?: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  };
  /** Present exactly when the URL says `kafkas:`. */
  readonly tls?: ResolvedTlsOptions;
  readonly maxLanes: number;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly partitionCheckSeconds: number;
}

/** Resolves an entry that the schema has accepted. */
export function resolveKafkaSink(
  entry: z.infer<typeof kafkaSinkOptions>,
  context: ResolveContext,
): ResolvedKafkaSinkOptions {
  const { brokers, topic, secure } = parseKafkaUrl(entry.url);
  return {
    ...resolveCommon(entry),
    brokers,
    topic,
    mode: entry.mode,
    compression: entry.compression,
    clientId: entry.clientId,
    ...(entry.sasl && { sasl: { ...entry.sasl, password: context.secret(entry.sasl.password) } }),
    ...(secure && { tls: resolveTls(entry.tls ?? {}, context) }),
    maxLanes: entry.maxLanes,
    connectTimeoutMs: entry.connectTimeoutMs,
    requestTimeoutMs: entry.requestTimeoutMs,
    partitionCheckSeconds: entry.partitionCheckSeconds,
  };
}

function parseKafkaUrl(text: string) {
  const url = parseServerUrl(text, { kafka: 9092, kafkas: 9093 });
  const topic = url.path ?? "";
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(topic) || topic === "." || topic === "..") {
    throw invalidUrl("the URL names no topic", "Put it behind the hosts: kafka://host:9092/topic");
  }
  if (url.username !== undefined || url.query.size > 0) {
    throw invalidUrl("a kafka URL has hosts and a topic only", "Use `sasl` and the other options.");
  }
  return {
    brokers: url.hosts.map(({ host, port }) =>
      host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    ),
    topic,
    secure: url.scheme === "kafkas",
  };
}
