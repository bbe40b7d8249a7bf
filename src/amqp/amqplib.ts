// Everything that depends on the inside of amqplib: it has no error codes for these cases, so they are
// recognized by its texts, and one private field is used. Any other version is refused, and
// test/unit/amqp/amqplib.test.ts runs the real library into each case.
import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type { ConfirmChannel, Connection } from "amqplib";
import { CertwireError } from "../errors/certwire-error.ts";
import { amqplibVersion, connectionModule } from "./amqplib-inside.ts";

const supportedVersion = "2.3.1";

/** Throws CERTWIRE_SINK_CONFIG when another version of amqplib is installed than the one this file knows. */
export function checkAmqplibVersion(): void {
  const version = amqplibVersion();
  if (version === supportedVersion) return;
  throw new CertwireError(
    "CERTWIRE_SINK_CONFIG",
    `amqplib ${version} is installed, but only ${supportedVersion} is supported`,
    { hint: `Install amqplib ${supportedVersion}.` },
  );
}

/** Parts of a connection (lib/connection.js) that the types do not name. */
interface PrivateConnection extends EventEmitter {
  /** The socket. */
  readonly stream?: Duplex;
  /** Highest number of a channel that client and broker agreed upon; 65535 without a limit. */
  readonly channelMax?: number;
  /** True while the broker has blocked the connection. */
  readonly blocked: boolean;
  /** Bytes of a frame that is not complete yet. */
  readonly rest: Buffer;
  step: (this: PrivateConnection, done: (error: Error | null, frame: Frame | null) => void) => void;
  open: (
    this: PrivateConnection,
    fields: object,
    done: (error: Error | null, ok?: unknown) => void,
  ) => void;
}

/** Parts of a channel (lib/channel.js) that the types do not name. */
interface PrivateChannel {
  /** Number of the channel. */
  readonly ch: number;
  readonly connection: {
    /** For each number its frames that wait for the socket. */
    readonly channels: readonly ({ readonly buffer: Duplex } | null)[];
  };
}

/** A decoded frame; `id` holds class and method. */
interface Frame {
  readonly id?: number;
  readonly fields?: { readonly replyCode?: number; readonly replyText?: string };
}

/** Class 10, method 50. */
const connectionClose = 0x000a_0032;

const closes = new WeakMap<PrivateConnection, Frame>();
const ends = new WeakMap<object, Error>();
let isPatched = false;

/**
 * Makes errors of the handshake say what the broker answered: as shipped amqplib drops the reply when the broker
 * closes the connection instead of opening the vhost, and the bytes when the port does not speak AMQP. The errors
 * get the reply code as `code`. Also listens for the end of a connection before amqplib reads its first frame, for
 * `endOf`.
 */
export function patchHandshake(): void {
  if (isPatched) return;
  isPatched = true;
  const { Connection: Private } = connectionModule() as {
    readonly Connection: { readonly prototype: PrivateConnection };
  };
  const { step, open } = Private.prototype;
  Private.prototype.step = function (this: PrivateConnection, done) {
    step.call(this, (error, frame) => {
      if (frame?.id === connectionClose) closes.set(this, frame);
      done(error, frame);
    });
  };
  Private.prototype.open = function (this: PrivateConnection, fields, done) {
    noteEnd(this);
    open.call(this, fields, (error, ok) => done(error && explained(this, error), ok));
  };
}

/**
 * amqplib handles what follows open-ok in the same read before it hands out the connection. Without these listeners a
 * close among it would go unnoticed, and its error would end the process.
 */
function noteEnd(connection: PrivateConnection): void {
  const note = (error?: Error): void => {
    if (!ends.has(connection)) ends.set(connection, error ?? new Error("Connection closed"));
  };
  connection.on("error", note);
  connection.on("close", note);
}

/** Why a connection has ended, also before anyone could listen; `undefined` while it is open. */
export function endOf(connection: Connection): Error | undefined {
  return ends.get(connection);
}

/** True while the broker has blocked the connection, also if it did so before anyone could listen. */
export function isBlockedByBroker(connection: Connection): boolean {
  return (connection as Partial<PrivateConnection>).blocked ?? false;
}

function explained(connection: PrivateConnection, error: Error): Error {
  const { replyCode, replyText } = closes.get(connection)?.fields ?? {};
  if (replyCode !== undefined) {
    return Object.assign(new Error(`${replyCode} ${replyText}`), { code: replyCode });
  }
  const protocol = protocolOf(connection.rest);
  return protocol === undefined ? error : new ForeignProtocolError(protocol);
}

/** The port answered, but not in AMQP 0-9-1. */
export class ForeignProtocolError extends Error {
  /** What it speaks, as far as its first bytes show it. */
  readonly protocol: string;

  constructor(protocol: string) {
    super(`the port does not speak AMQP 0-9-1 but ${protocol}`);
    this.protocol = protocol;
  }
}

/** What a port speaks that does not begin with a method frame; `undefined` as long as nothing is amiss. */
function protocolOf(bytes: Buffer): string | undefined {
  const text = bytes.toString("latin1", 0, 8);
  if (bytes.length === 0 || bytes[0] === 1 || bytes[0] === 8) return undefined;
  if (text.startsWith("HTTP/")) return "HTTP";
  if (text.startsWith("SSH-")) return "SSH";
  if (text.startsWith("AMQP")) return "another version of AMQP";
  if ((bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 3) return "TLS";
  return "another protocol";
}

/** Options that end a connection attempt with the signal: amqplib hands them on to `net.connect` and `tls.connect`. */
export function abortable(signal: AbortSignal): object {
  return { signal };
}

/** Most channels that the connection can have, as agreed upon with the broker. */
export function channelMaxOf(connection: Connection): number {
  return (connection as Partial<PrivateConnection>).channelMax ?? 65_535;
}

/** lib/channel.js, listener of `nack`, where the callback of `publish` gets it. */
const nacked = "message nacked";
/** lib/connection.js, `freshChannel`. */
const outOfChannels = "No channels left to allocate";
/** lib/connection.js, `endWhileOpening`: the socket ended during the handshake. */
const hungUp = /^Socket closed abruptly during opening handshake/;
/** lib/connect.js: nothing came for the time that was allowed. */
const timedOut = "connect ETIMEDOUT";
/** lib/codec.js, `checkSpace`: headers above 64 KiB. */
const headersTooLong = /^Encoded field table/;
/**
 * lib/defs.js, `encodeBasicProperties`: a text above 255 bytes, or a time that is not a number. The fields
 * `exchange` and `routingKey` of `encodeBasicPublish` are not properties of one event.
 */
const wrongProperty = /^Field '(?!exchange'|routingKey')\w+' is the wrong type/;

/** True when the broker refused one message with basic.nack; other errors of a publish end the channel. */
export function isNack(error: unknown): boolean {
  return textOf(error) === nacked;
}

/** True when the broker closed the socket during the handshake, without an AMQP error. */
export function isHungUp(error: unknown): boolean {
  return hungUp.test(textOf(error));
}

/** True when the socket did not open, or stayed silent, for the time that was allowed. */
export function isConnectTimeout(error: unknown): boolean {
  return textOf(error) === timedOut;
}

/** True when the connection has as many channels as client and broker agreed upon. */
export function isOutOfChannels(error: unknown): boolean {
  return textOf(error) === outOfChannels;
}

/**
 * True when amqplib cannot encode an event: headers above 64 KiB, a header name or another property above
 * 255 bytes, a time before 1970 or none at all. False for other RangeErrors (out of memory, endless
 * recursion), and for the exchange and the routing key, which many events share.
 */
export function isUnencodable(error: unknown): boolean {
  if (error instanceof TypeError) return wrongProperty.test(error.message);
  if (!(error instanceof RangeError)) return false;
  // Node's own code, when a length or a negative time does not fit into its bytes.
  const isOutOfRange = (error as NodeJS.ErrnoException).code === "ERR_OUT_OF_RANGE";
  return isOutOfRange || headersTooLong.test(error.message);
}

/**
 * Ends a connection whose broker does not answer. amqplib offers no way to do that, so its private stream
 * (lib/connection.js, constructor) is destroyed, with an error: without one amqplib would not notice, and
 * everything that waits for the broker would keep waiting.
 */
export function cutOff(connection: Connection, error: Error): void {
  (connection as Partial<PrivateConnection>).stream?.destroy(error);
}

/**
 * True when a channel that the broker has closed still has frames to send, asked in a listener of its `error`.
 * amqplib would send them later (lib/connection.js, `releaseChannel`), after the next channel of the same number was
 * opened, which would publish them: such a connection must not be used again.
 */
export function hasUnsentFrames(channel: ConfirmChannel): boolean {
  const { ch, connection } = channel as unknown as PrivateChannel;
  const buffer = connection.channels[ch]?.buffer;
  // The answer to the close waits in any case.
  return buffer != null && buffer.readableLength + buffer.writableLength > 1;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
