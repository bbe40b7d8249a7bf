// Everything that depends on the inside of amqplib: it has no error codes for these cases, so they are
// recognized by its texts, and one private field is used. Any other version is refused, and
// test/unit/sinks/rabbitmq/amqplib.test.ts runs the real library into each case.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import type { Connection } from "amqplib";
import { CertwireError } from "../../errors/certwire-error.ts";

const require = createRequire(import.meta.url);
const supportedVersion = "2.3.1";

/** Throws CERTWIRE_SINK_CONFIG when another version of amqplib is installed than the one this file knows. */
export function checkAmqplibVersion(): void {
  // The package exports no package.json, so it is read by its path.
  const manifest = join(dirname(require.resolve("amqplib")), "package.json");
  const { version } = require(manifest) as { version: string };
  if (version === supportedVersion) return;
  throw new CertwireError(
    "CERTWIRE_SINK_CONFIG",
    `amqplib ${version} is installed, but only ${supportedVersion} is supported`,
    { hint: `Install amqplib ${supportedVersion}.` },
  );
}

/** lib/channel.js, listener of `nack`, where the callback of `publish` gets it. */
const nacked = "message nacked";
/** lib/connection.js, `endWhileOpening`: the socket ended during the handshake. */
const hungUp = /^Socket closed abruptly during opening handshake/;
/** lib/connection.js, `afterStartOk`; the number comes from `closeMessage` in lib/format.js. */
const handshakeRefused = /^Handshake terminated by server: (\d+) /;
/** lib/connection.js, `expect`: the broker answered connection.open, which names the vhost, with connection.close. */
const vhostRefused = /^Expected ConnectionOpenOk; got <ConnectionClose /;
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

/** The AMQP reply code with which the broker ended the handshake, such as 403 for a wrong password. */
export function handshakeReplyCode(error: unknown): number | undefined {
  const code = handshakeRefused.exec(textOf(error))?.[1];
  return code === undefined ? undefined : Number(code);
}

/** True when the broker closed the connection instead of opening the vhost. amqplib drops the reason. */
export function isVhostRefused(error: unknown): boolean {
  return vhostRefused.test(textOf(error));
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
  (connection as { stream?: Duplex }).stream?.destroy(error);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
