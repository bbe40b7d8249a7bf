import type { Channel, ChannelModel, Options } from "amqplib";
import { cutOff } from "../../amqp/amqplib.ts";
import { closeOrderly } from "../../amqp/close.ts";
import { queueDown } from "../../amqp/queue-down.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { describeCause } from "../../errors/describe-cause.ts";
import { unlessAborted, within } from "../../waiting.ts";

/**
 * How a consumer connects: an AMQP URL; amqplib's options; a function that connects, called again after a lost
 * connection; or an open connection, which the consumer neither closes nor makes again.
 */
export type RabbitMqConnectionOption =
  | string
  | Options.Connect
  | ChannelModel
  | (() => Promise<ChannelModel>);

/** Seconds between heartbeats where neither URL nor options say it. */
const heartbeatSeconds = 15;
const connectTimeoutMs = 10_000;
/** Longest wait for an answer of the broker, in ms, whose heartbeats may go on all the time. */
export const answerTimeoutMs = 60_000;
/** The same once the consumer stops. */
export const stopAnswerTimeoutMs = 5000;
const closeTimeoutMs = 2000;

/** A connection, and whether the consumer may close it. */
export interface OpenConnection {
  readonly model: ChannelModel;
  readonly isOwn: boolean;
}

/**
 * Connects; amqplib is loaded only if it is used. Rejects with what amqplib throws, and with the signal's reason as soon
 * as it is aborted: a connection that comes later is closed.
 */
export async function openConnection(
  option: RabbitMqConnectionOption,
  signal?: AbortSignal,
): Promise<OpenConnection> {
  if (isModel(option)) return { model: option, isOwn: false };
  return unlessAborted(openOwn(option, signal), signal, { discard: closeOwn });
}

async function openOwn(
  option: Exclude<RabbitMqConnectionOption, ChannelModel>,
  signal: AbortSignal | undefined,
): Promise<OpenConnection> {
  if (typeof option !== "function") {
    const { connectAmqp } = await import("../../amqp/connect.ts");
    const settings = { name: "certwire consumer", timeoutMs: connectTimeoutMs, signal };
    return { model: await connectAmqp(withHeartbeat(option), settings), isOwn: true };
  }
  const model = await option();
  // Without a listener an error event would end the process; the close that follows is what counts.
  model.on("error", () => undefined);
  return { model, isOwn: true };
}

function withHeartbeat(option: string | Options.Connect): string | Options.Connect {
  if (typeof option !== "string") return { heartbeat: heartbeatSeconds, ...option };
  const url = new URL(option);
  if (!url.searchParams.has("heartbeat")) {
    url.searchParams.set("heartbeat", String(heartbeatSeconds));
  }
  return url.href;
}

/** True for an open connection of amqplib. */
export function isModel(option: RabbitMqConnectionOption): option is ChannelModel {
  return typeof option === "object" && "createChannel" in option;
}

/** Throws CERTWIRE_CONSUMER_OPTIONS for something that is not a way to connect. */
export function checkConnection(option: unknown): void {
  const isUrl = typeof option === "string" && /^amqps?:/.test(option) && URL.canParse(option);
  const isOther = typeof option === "function" || (typeof option === "object" && option !== null);
  if (isUrl || isOther) return;
  throw new CertwireError("CERTWIRE_CONSUMER_OPTIONS", "connection: it is not an AMQP URL", {
    hint: "Use amqp://user:password@host:5672/vhost, or amqps:// for TLS.",
  });
}

/** Replies that last until someone acts. */
const refusals: ReadonlySet<unknown> = new Set([402, 403, 404, 405, 406, 530, 540]);

/** The CertwireError for what amqplib threw or emitted; `what` says what failed. */
export function toConsumerError(error: unknown, what: string): CertwireError {
  if (error instanceof CertwireError) return error;
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  // The broker says "not found" of a queue, too, whose node is down.
  const reply = code ?? handshakeReplyIn(message);
  const isRefused = refusals.has(reply) && !queueDown.test(String(message));
  const own = isRefused ? "CERTWIRE_CONSUMER_REFUSED" : "CERTWIRE_CONSUMER_UNREACHABLE";
  return new CertwireError(own, `${what}: ${describeCause(error)}`, { cause: error });
}

/** amqplib has the broker's reply to wrong credentials in the text only. */
function handshakeReplyIn(message: unknown): number | undefined {
  const [, reply] = /^Handshake terminated by server: (\d+) /.exec(String(message)) ?? [];
  return reply === undefined ? undefined : Number(reply);
}

/**
 * Does some work on a connection, which it closes if it has opened it. Rejects with what amqplib throws, and with the
 * signal's reason as soon as it is aborted.
 */
export async function withConnection<T>(
  option: RabbitMqConnectionOption,
  work: (connection: OpenConnection) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const connection = await openConnection(option, signal);
  try {
    return await unlessAborted(work(connection), signal);
  } finally {
    await closeOwn(connection);
  }
}

/** Does some work on a channel of its own, which opens within `limitMs`. Rejects with what amqplib throws. */
export async function withChannel<T>(
  model: ChannelModel,
  work: (channel: Channel) => Promise<T>,
  limitMs = answerTimeoutMs,
): Promise<T> {
  const channel = await answered(model.createChannel(), limitMs);
  channel.on("error", () => undefined);
  try {
    return await work(channel);
  } finally {
    await closeChannel(channel).catch(() => undefined);
  }
}

/** Waits for an answer of the broker, but not for ever. Rejects with CERTWIRE_CONSUMER_UNREACHABLE. */
export async function answered<T>(answer: Promise<T>, limitMs = answerTimeoutMs): Promise<T> {
  const late = `the broker did not answer within ${limitMs / 1000} s`;
  return within(answer, limitMs, () => new CertwireError("CERTWIRE_CONSUMER_UNREACHABLE", late));
}

/** Closes a channel. Rejects when the broker does not answer in time, or the channel has ended already. */
export async function closeChannel(channel: Channel): Promise<void> {
  await closeOrderly(channel, closeTimeoutMs);
}

/** Closes the consumer's own connection, without an answer if need be; the user's own stays open. Never rejects. */
export async function closeOwn({ model, isOwn }: OpenConnection): Promise<void> {
  if (!isOwn) return;
  await closeOrderly(model, closeTimeoutMs).catch(() => undefined);
  cutOff(model.connection, new Error("closed"));
}
