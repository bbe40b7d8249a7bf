import type { ChannelModel } from "amqplib";
import type { EventSource } from "../../consumer/event-source.ts";
import {
  toConsumerError,
  withChannel,
  withConnection,
} from "../../consumer/rabbitmq/connection.ts";
import { MemoryOffsets } from "../../consumer/rabbitmq/offset-store.ts";
import { firstOffsetOf, newestOffsetOf } from "../../consumer/rabbitmq/stream-offset.ts";
import { rabbitMqStream } from "../../consumer/rabbitmq/stream-source.ts";
import {
  type ResolvedRabbitMqSinkOptions,
  rabbitmqSinkOptions,
  resolveRabbitMqSink,
} from "../../sinks/rabbitmq/options.ts";
import { parseServerUrl } from "../../sinks/server-url.ts";
import { loadTls } from "../../sinks/tls-options.ts";
import {
  type ConnectOptions,
  givenOptions,
  kafkaOptions,
  parseEntry,
  passwordReference,
  resolveContext,
  tlsEntry,
  usage,
} from "./credentials.ts";
import { type Extent, type MessageTaker, readToEnd } from "./read-to-end.ts";

/** A stream and how to connect to its broker. */
export interface StreamTarget {
  readonly stream: string;
  readonly broker: ResolvedRabbitMqSinkOptions;
  /** What the broker calls the connection. */
  readonly connectionName: string;
}

const option = "--rabbitmq-stream";
/** Messages on their way: they are counted at once, so the broker need not wait. */
const prefetch = 1000;
/** How long to wait for a message before a stream is taken for empty, in ms. */
const emptyMs = 10_000;

/** The stream that a URL names; `connectionName` is what the broker logs. Throws CERTWIRE_USAGE. */
export function streamTarget(
  url: string,
  options: ConnectOptions,
  connectionName: string,
): StreamTarget {
  // Everything but the stream is as in the URL of a sink, which has an exchange instead.
  const [server = ""] = url.split("?", 1);
  return { broker: brokerTarget(server, options, option), stream: streamIn(url), connectionName };
}

/** The broker that the URL of an option names, and what else it says. Throws CERTWIRE_USAGE. */
export function brokerTarget(
  url: string,
  options: ConnectOptions,
  optionName: string,
): ResolvedRabbitMqSinkOptions {
  const password = passwordReference(options);
  const [stranger] = givenOptions(options, kafkaOptions);
  if (stranger !== undefined) throw usage(`${stranger} is for Kafka`);
  if (options.username !== undefined) throw usage("the user of RabbitMQ belongs into the URL");
  const needsPassword = /^amqps?:\/\/(?!guest@)[^@:/?#]+@/.test(url);
  if (needsPassword && password === undefined) {
    throw usage("the URL names a user, but there is no password", "Use --password-file FILE.");
  }
  const access = password !== undefined && { password };
  const entry = { url, ...access, ...tlsEntry(options) };
  return resolveRabbitMqSink(parseEntry(rabbitmqSinkOptions, entry, optionName), resolveContext);
}

function streamIn(url: string): string {
  const { query } = parseServerUrl(url, { amqp: 5672, amqps: 5671 });
  const [stream, ...others] = query.getAll("stream");
  if (stream && others.length === 0 && query.size === 1) return stream;
  throw usage(`${option}: the URL names no stream`, "Put it at the end: amqp://host/?stream=name");
}

/**
 * Reads all that a stream holds now. Ends early if the signal is aborted. Rejects with a CertwireError,
 * CERTWIRE_CONSUMER_UNREACHABLE if the broker does not answer.
 */
export async function readStream(
  { stream, broker, connectionName }: StreamTarget,
  taker: MessageTaker,
  waitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const connection = (): Promise<ChannelModel> => connectTo(broker, connectionName, signal);
  const ask = <T>(question: (model: ChannelModel, stream: string) => Promise<T>): Promise<T> =>
    withConnection(connection, ({ model }) => question(model, stream), signal);
  try {
    const extents = await ask(extentsOf);
    const offsets = new MemoryOffsets();
    const source = (): EventSource => rabbitMqStream({ connection, stream, offsets, prefetch });
    await readToEnd({ extents, source }, taker, waitMs, signal);
    if (extents.length === 0 || signal.aborted) return;
    taker.compare(extents, [{ place: stream, low: await ask(lowOf) }]);
  } catch (error) {
    if (signal.aborted && error === signal.reason) return;
    throw toConsumerError(error, `cannot read the stream "${stream}"`);
  }
}

async function extentsOf(model: ChannelModel, stream: string): Promise<Extent[]> {
  const newest = await newestOffsetOf(model, stream, { waitMs: emptyMs });
  if (newest === undefined) return [];
  return [{ place: stream, low: await lowOf(model, stream), high: newest + 1n }];
}

function lowOf(model: ChannelModel, stream: string): Promise<bigint> {
  return withChannel(model, (channel) => firstOffsetOf(channel, stream));
}

/** A connection to the first host that takes one, under a name. Rejects with the error of the last host. */
export async function connectTo(
  broker: ResolvedRabbitMqSinkOptions,
  name: string,
  signal: AbortSignal,
): Promise<ChannelModel> {
  const { hosts, vhost, username, password, tls, heartbeatSeconds, connectTimeoutMs } = broker;
  const { connectAmqp } = await import("../../amqp/connect.ts");
  let failure: unknown;
  for (const { host, port } of hosts) {
    const address = { protocol: tls ? "amqps" : "amqp", hostname: host, port };
    const access = { username, password: password(), vhost: encodeURIComponent(vhost) };
    try {
      return await connectAmqp(
        { ...address, ...access, heartbeat: heartbeatSeconds },
        { name, timeoutMs: connectTimeoutMs, tls: tls && loadTls(tls), signal },
      );
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
