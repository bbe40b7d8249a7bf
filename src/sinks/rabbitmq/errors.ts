import { CertwireError } from "../../errors/certwire-error.ts";
import type { ErrorCode } from "../../errors/codes.ts";
import type { SinkFailure, SinkFailureKind } from "../sink.ts";
import { tlsFaultOf } from "../tls-errors.ts";

interface Class {
  readonly kind: SinkFailureKind;
  readonly code: ErrorCode;
  /** Where more is known than the code's own hint. */
  readonly hint?: string;
}

const broken: Class = { kind: "reset", code: "CERTWIRE_SINK_UNREACHABLE" };
const config: Class = { kind: "config", code: "CERTWIRE_SINK_CONFIG" };
const auth: Class = { kind: "auth", code: "CERTWIRE_SINK_AUTH" };
const rejected: Class = { kind: "reset", code: "CERTWIRE_SINK_REJECTED" };

/**
 * Reply codes of AMQP 0-9-1. Everything else, network errors too, is `reset`: a new connection, and the
 * same events again.
 */
export const amqpErrorClasses: Readonly<Record<number, Class>> = {
  // content-too-large and precondition-failed (larger than max_message_size): see `refusesContent`.
  311: rejected,
  406: rejected,
  // invalid-path (no such vhost), not-found (exchange), resource-locked, not-allowed, not-implemented.
  402: config,
  404: config,
  405: config,
  530: config,
  540: config,
  403: auth,
};

const contentCodes: ReadonlySet<unknown> = new Set([311, 406, 501, 502, 505]);

/** So does a port with TLS treat a client that comes without. */
const hungUp: Class = {
  ...broken,
  hint: "The broker has closed the connection. Where it always does, the port may want TLS: amqps:// in the URL.",
};
const hungUpText = /^Socket closed abruptly/;
const authTexts = /ACCESS[-_]REFUSED|403 \(/;
/** What amqplib throws when it writes the properties of a message. */
const tooLong = /^Encoded field table/;
const wrongProperty = /^Field '(?!exchange'|routingKey')\w+' is the wrong type/;
const configTexts = /NOT[-_]ALLOWED|530 \(/;

/** Classifies what amqplib threw or emitted. */
export function toRabbitMqFailure(error: unknown): SinkFailure {
  if (error instanceof CertwireError) {
    return { kind: error.code === "CERTWIRE_SINK_CONFIG" ? "config" : "reset", cause: error };
  }
  return { kind: classOf(error).kind, cause: toRabbitMqError(error, "rabbitmq publish failed") };
}

/** The CertwireError for what amqplib threw. */
export function toRabbitMqError(error: unknown, message: string): CertwireError {
  if (error instanceof CertwireError) return error;
  const { code, hint } = classOf(error);
  return new CertwireError(code, message, { cause: error, ...(hint !== undefined && { hint }) });
}

/** True when the broker has closed the channel or connection over the content of what was sent. */
export function refusesContent(error: unknown): boolean {
  return contentCodes.has((error as { code?: unknown } | undefined)?.code);
}

/**
 * True when amqplib could not write an event: headers above 64 KiB, a header's name or another property
 * above 255 bytes, a time before 1970 or none at all. The exchange and the routing key stand for many events,
 * and other RangeErrors (short memory, an endless recursion) for none.
 */
export function isUnencodable(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message: string };
  if (error instanceof TypeError) return wrongProperty.test(message);
  return error instanceof RangeError && (code === "ERR_OUT_OF_RANGE" || tooLong.test(message));
}

function classOf(error: unknown): Class {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === "number") return amqpErrorClasses[code] ?? broken;
  const tlsFault = tlsFaultOf(code);
  if (tlsFault) return tlsFault;
  if (code === "ECONNRESET") return hungUp;
  // Failures of the handshake come as text only.
  if (typeof message !== "string") return broken;
  if (authTexts.test(message)) return auth;
  if (configTexts.test(message)) return config;
  return hungUpText.test(message) ? hungUp : broken;
}
