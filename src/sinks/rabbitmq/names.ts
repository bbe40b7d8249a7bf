import { DestinationName } from "../destination-name.ts";
import { invalidUrl } from "../server-url.ts";

/** Longest name, routing key or vhost in AMQP, in bytes of UTF-8. */
export const maxNameBytes = 255;

/** A dot ends a word of a routing key, * and # are wildcards in bindings, and the others cannot be seen. */
const noPartOfWord = /[.*#\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** An exchange's name or a routing key, which may have placeholders. */
export function amqpName(text: string): DestinationName {
  return new DestinationName(text, noPartOfWord);
}

/** Throws a CertwireError for a routing key with an unknown placeholder, or one that may be too long. */
export function assertRoutingKey(text: string): void {
  assertFits(text, "the routing key");
}

/** Throws a CertwireError for the name of an exchange that is empty, has an unknown placeholder, or may be too long. */
export function assertExchange(text: string): void {
  if (text === "") throw invalidUrl(`the exchange's name must have 1 to ${maxNameBytes} bytes`);
  assertFits(text, "the exchange's name");
}

function assertFits(text: string, what: string): void {
  const { longestBytes } = amqpName(text);
  if (longestBytes <= maxNameBytes) return;
  throw invalidUrl(
    `${what} may have ${longestBytes} bytes, and AMQP allows ${maxNameBytes}`,
    "{kind} takes up to 21, {template} up to 100, {ca} up to 64.",
  );
}
