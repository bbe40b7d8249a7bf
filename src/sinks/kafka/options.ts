import { z } from "zod";
import { kibibyte } from "../../units.ts";
import { brokerShape, type ResolvedBrokerOptions, resolveBroker } from "../broker-options.ts";
import {
  commonShape,
  parsedString,
  type ResolvedSinkOptions,
  resolveCommon,
} from "../common-options.ts";
import type { ResolveContext } from "../secret-reference.ts";
import { formatHost, invalidUrl, parseServerUrl } from "../server-url.ts";
import { type ResolvedSasl, resolveSasl, saslOptions } from "./sasl-options.ts";
import { topicName } from "./topic-name.ts";

/** Where the events of a route go. */
export const kafkaRoute = z.strictObject({
  topic: parsedString(topicName).describe(
    "Topic of the events. `{kind}`, `{template}` and `{ca}` stand for values of the event.",
  ),
});

/** What to do where zstd cannot be used. */
export const zstdHint = "Set compression to gzip or none, or update Node.js.";

/** Entry of a Kafka sink. */
export const kafkaSinkOptions = z
  .strictObject({
    // With keys and headers a batch stays below the broker's default limit of 1 MiB.
    ...commonShape({
      batchEvents: 500,
      batchBytes: 768 * kibibyte,
      lingerMs: 5,
      maxEventBytes: 900 * kibibyte,
    }),
    url: parsedString(parseKafkaUrl).describe(
      "`kafka://host1:9092,host2:9092/topic`, with TLS `kafkas://...`. The topic may hold `{kind}`, `{template}` and `{ca}`.",
    ),
    ...brokerShape("kafkas"),
    routes: z.array(kafkaRoute).min(1).optional(),
    compression: z
      .enum(["none", "gzip", "zstd"])
      .default("none")
      .describe("Compression of batches. `zstd` needs Node.js 22.15 or later."),
    clientId: z
      .string()
      .min(1)
      .max(249)
      .default("certwire")
      .describe("Client ID that the broker sees."),
    sasl: saslOptions
      .optional()
      .describe(
        "Credentials. `plain` sends the password and `oauthbearer` the token: use `kafkas://`.",
      ),
    maxLanes: z
      .int()
      .min(1)
      .max(64)
      .default(6)
      .describe(
        "Maximum producers that work in parallel; never more than the partitions of the largest topic, unless a topic's name has placeholders.",
      ),
    requestTimeoutMs: z
      .int()
      .min(1000)
      .max(300_000)
      .default(20_000)
      .describe("Longest wait for the broker's answer to a request, in ms."),
    partitionCheckSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(30)
      .describe("How often the topic's number of partitions and its limit are checked, in s."),
  })
  .superRefine((entry, context) => {
    if (entry.tls !== undefined && !entry.url.startsWith("kafkas:")) {
      context.addIssue({ code: "custom", path: ["tls"], message: "needs a kafkas:// URL" });
    }
  })
  .describe("Publishes events to a Kafka topic.");

/** Options of a Kafka sink, resolved. */
export interface ResolvedKafkaSinkOptions extends ResolvedSinkOptions, ResolvedBrokerOptions {
  /** `host:port` of each broker to connect to first; the cluster names the others. Default port 9092, with TLS 9093. */
  readonly brokers: readonly string[];
  /** Topic of the events that fit no route, with its placeholders. Topics must exist: none is ever created. */
  readonly topic: string;
  /** Topics of the routes, with their placeholders. Default: none. */
  readonly routes: readonly z.infer<typeof kafkaRoute>[];
  /** Default `none`. */
  readonly compression: "none" | "gzip" | "zstd";
  /** Shown in the broker's logs and quotas. Default `certwire`. */
  readonly clientId: string;
  /** Default: no authentication, or the client certificate of `tls`. */
  readonly sasl?: ResolvedSasl;
  /**
   * Maximum lanes. There are as many as partitions of the largest topic, up to this number; all of them if a topic's
   * name has placeholders. Default 6.
   */
  readonly maxLanes: number;
  /** Longest wait for the answer to one request, in ms. Default 20000. */
  readonly requestTimeoutMs: number;
  /** Interval at which the number of partitions and the limit of the topic are checked, in s. Default 30. */
  readonly partitionCheckSeconds: number;
}

/** Resolves an entry that the schema has accepted. */
export function resolveKafkaSink(
  entry: z.infer<typeof kafkaSinkOptions>,
  context: ResolveContext,
): ResolvedKafkaSinkOptions {
  const { brokers, topic, isSecure } = parseKafkaUrl(entry.url);
  const { compression, clientId, sasl: access } = entry;
  const { maxLanes, requestTimeoutMs, partitionCheckSeconds } = entry;
  return {
    ...resolveCommon(entry),
    ...resolveBroker(entry, isSecure, context),
    brokers,
    topic,
    routes: entry.routes?.map((route) => ({ topic: route.topic })) ?? [],
    compression,
    clientId,
    maxLanes,
    requestTimeoutMs,
    partitionCheckSeconds,
    ...(access && { sasl: resolveSasl(access, context) }),
  };
}

function parseKafkaUrl(text: string) {
  const url = parseServerUrl(text, { kafka: 9092, kafkas: 9093 });
  const topic = url.path ?? "";
  if (topic === "") {
    throw invalidUrl("the URL names no topic", "Put it after the hosts: kafka://host:9092/topic");
  }
  topicName(topic);
  if (url.username !== undefined || url.query.size > 0) {
    throw invalidUrl(
      "a Kafka URL holds only hosts and a topic",
      "Use `sasl` for the user and keys of the entry for everything else.",
    );
  }
  return {
    brokers: url.hosts.map(formatHost),
    topic,
    isSecure: url.scheme === "kafkas",
  };
}
