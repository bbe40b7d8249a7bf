import {
  ForeignProtocolError,
  isConnectTimeout,
  isHungUp,
  isOutOfChannels,
} from "../../amqp/amqplib.ts";
import { broken, config, ErrorClassifier, type FailureClass, hintedBy } from "../failure-class.ts";
import { tlsFaultOf } from "../tls-errors.ts";
import { failureOfReply } from "./reply-codes.ts";

/** Why the broker closed the channel or connection because of the content of a message. */
export interface ContentRefusal {
  /** True when the message is above a limit of the broker, which smaller events are not. */
  readonly isTooLarge: boolean;
  /** Bytes of the message, as the broker counts them, where it names them. */
  readonly bytes?: number;
  /** Most bytes that the broker accepts, where it names them. */
  readonly maxBytes?: number;
  /** What it means for an event that was sent alone. */
  readonly failure: FailureClass;
}

/** A port with TLS closes the connection of a client without TLS like this. */
const hungUp = hintedBy(
  broken,
  "The broker closed the connection. If it always does, the port may require TLS: amqps:// in the URL.",
);

const silent = hintedBy(
  broken,
  "Nothing answers there: check host and port, firewalls, and whether the broker hangs.",
);

const foreign = hintedBy(config, "Use the broker's AMQP port in the URL, usually 5672.");

const needsTls = hintedBy(config, "The port requires TLS: use amqps:// in the URL.");

const outOfChannels = hintedBy(config, "Raise channel_max on the broker, or lower `lanes`.");

const classifier = new ErrorClassifier(classOf, "rabbitmq publish failed");

/** Classifies what amqplib threw or emitted during a publish. */
export const toRabbitMqFailure = classifier.toFailure.bind(classifier);

/** The CertwireError for what amqplib threw; the second argument says what failed. */
export const toRabbitMqError = classifier.toError.bind(classifier);

/** Codes with which the broker refuses the content of a message. */
const contentCodes: ReadonlySet<unknown> = new Set([311, 501, 502, 505]);
const sizes = /message size (\d+) is larger than (?:configured )?max size (\d+)/;

/** How the broker refused the content of a message; `undefined` when the error has another reason. */
export function contentRefusalOf(error: unknown): ContentRefusal | undefined {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  const [text, bytes, maxBytes] = sizes.exec(String(message)) ?? [];
  if (!contentCodes.has(code) && !(code === 406 && text !== undefined)) return undefined;
  return {
    isTooLarge: code === 311 || code === 406,
    ...(text !== undefined && { bytes: Number(bytes), maxBytes: Number(maxBytes) }),
    failure: failureOfReply(Number(code), String(message)),
  };
}

/** True when the connection or the user has all the channels that the broker allows. */
export function isChannelLimit(error: unknown): boolean {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  if (isOutOfChannels(error)) return true;
  return code === 530 && /channels .*reached the maximum allowed/i.test(String(message));
}

function classOf(error: unknown): FailureClass {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  if (typeof code === "number") return ofReply(code, String(message));
  if (error instanceof ForeignProtocolError) return error.protocol === "TLS" ? needsTls : foreign;
  if (isOutOfChannels(error)) return outOfChannels;
  if (isConnectTimeout(error) || code === "ETIMEDOUT") return silent;
  if (code === "ECONNRESET" || isHungUp(error)) return hungUp;
  return tlsFaultOf(code) ?? broken;
}

/** Whether an event is at fault shows only when it was sent alone; until then the connection is. */
function ofReply(code: number, text: string): FailureClass {
  const failure = failureOfReply(code, text);
  const isAboutOneEvent = failure.kind === "poison" || failure.kind === "unroutable";
  return isAboutOneEvent ? { ...failure, kind: "reset" } : inequivalent(failure, text);
}

/** Options of `topology` by the argument that they set. */
const optionOf: Readonly<Record<string, string>> = {
  type: "the exchange must be a topic exchange",
  durable: "it must be durable",
  "x-queue-type": "quorumQueues and stream need their own types",
  "x-max-age": "maxAge",
  "x-max-length-bytes": "maxLengthBytes",
  "x-delivery-limit": "deliveryLimit",
  "x-dead-letter-exchange": "deadLetterExchange",
  "x-dead-letter-strategy": "deadLetterExchange asks for at-least-once",
  "x-overflow": "deadLetterExchange asks for reject-publish",
};

/** Says which argument of an exchange or queue differs, and what sets it. */
function inequivalent(failure: FailureClass, text: string): FailureClass {
  const [, argument = "", kind, name] =
    /inequivalent arg '([^']+)' for (exchange|queue) '([^']+)'/.exec(text) ?? [];
  if (kind === undefined) return failure;
  const option = optionOf[argument];
  const which = option === undefined ? argument : `${argument} (${option})`;
  return hintedBy(failure, `The ${kind} "${name}" exists with another ${which}. ${failure.hint}`);
}
