import { auth, broken, config, ErrorClassifier, type FailureClass } from "../failure-class.ts";
import { tlsFaultOf } from "../tls-errors.ts";
import { handshakeReplyCode, isHungUp, isVhostRefused } from "./amqplib.ts";

const rejected: FailureClass = { kind: "reset", code: "CERTWIRE_SINK_REJECTED" };

/**
 * Reply codes of AMQP 0-9-1. Everything else, network errors included, is `reset`: a new connection, and the
 * same events again.
 */
const classByReplyCode: Readonly<Record<number, FailureClass>> = {
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

/** A port with TLS closes the connection of a client without TLS like this. */
const hungUp: FailureClass = {
  ...broken,
  hint: "The broker closed the connection. If it always does, the port may require TLS: amqps:// in the URL.",
};

const vhostRefused: FailureClass = {
  ...config,
  hint: "The broker refused the vhost in the URL. Check that it exists, that the user may access it, and that it is up and below its connection limit.",
};

const classifier = new ErrorClassifier(classOf, "rabbitmq publish failed");

/** Classifies what amqplib threw or emitted during a publish. */
export const toRabbitMqFailure = classifier.toFailure.bind(classifier);

/** The CertwireError for what amqplib threw; the second argument says what failed. */
export const toRabbitMqError = classifier.toError.bind(classifier);

/** True when the broker closed the channel or connection because of the content of a message. */
export function refusesContent(error: unknown): boolean {
  return contentCodes.has((error as { code?: unknown } | undefined)?.code);
}

function classOf(error: unknown): FailureClass {
  const { code } = Object(error) as { code?: unknown };
  const replyCode = typeof code === "number" ? code : handshakeReplyCode(error);
  if (replyCode !== undefined) return classByReplyCode[replyCode] ?? broken;
  if (isVhostRefused(error)) return vhostRefused;
  if (code === "ECONNRESET" || isHungUp(error)) return hungUp;
  return tlsFaultOf(code) ?? broken;
}
