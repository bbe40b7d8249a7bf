import type { ReceivedMessage } from "../consumer/message.ts";
import { isStructured } from "../consumer/read-event.ts";
import type { CertwireEvent } from "../events/event.ts";
import { jsonBeforeData } from "../events/outbound-event.ts";

const [quote, colon, space] = [0x22, 0x3a, 0x20];

/**
 * The data of an event as `JSON.stringify` writes it, in UTF-8 or as text. Where the message has it in this form, as those
 * of Certwire have, its own bytes are taken: to write JSON costs more than to read it.
 */
export function dataJson(
  event: CertwireEvent,
  { headers, body }: Pick<ReceivedMessage, "headers" | "body">,
): Buffer | string {
  const data = isStructured(headers) ? dataAtEnd(event, body) : body;
  return data !== undefined && isPlain(data) ? data : JSON.stringify(event.data);
}

/** The data in a structured event whose other members are before it, as a sink writes them. */
function dataAtEnd(
  { data: _data, ...attributes }: CertwireEvent,
  body: Buffer,
): Buffer | undefined {
  const head = Buffer.from(jsonBeforeData(attributes));
  const isAtEnd = body.subarray(0, head.length).equals(head);
  return isAtEnd ? body.subarray(head.length, -1) : undefined;
}

/** True for JSON without white space between its parts and without escapes that a character could stand for. */
function isPlain(json: Buffer): boolean {
  const end = json.indexOf(quote, 2);
  // Who puts a space after a colon does so from the first one on.
  const isDense = json[1] === quote && json[end + 1] === colon && !isSpace(json[end + 2]);
  return isDense && !json.includes("\\u") && !json.includes("\\/");
}

function isSpace(byte: number | undefined): boolean {
  return byte === undefined || byte <= space;
}
