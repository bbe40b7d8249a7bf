import type { ReceivedMessage } from "../../consumer/message.ts";
import { knownKindOf, readEvent } from "../../consumer/read-event.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { CertwireEvent } from "../../events/event.ts";
import { inLine, say } from "../output.ts";

/** The event in a message, or none: what is not an event that this version knows is reported. */
export function eventsIn(
  place: string,
  message: Pick<ReceivedMessage, "headers" | "body">,
): readonly CertwireEvent[] {
  try {
    const event = readEvent(message);
    if (knownKindOf(event) !== undefined) return [event];
    say(`${inLine(place)}: an event of a later version: ${inLine(event.type)}`);
  } catch (error) {
    if (!(error instanceof CertwireError)) throw error;
    say(`${inLine(place)}: ${inLine(error.message)}`);
  }
  return [];
}
