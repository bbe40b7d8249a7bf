import type { ReceivedMessage } from "../../src/consumer/message.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { sampleEvent } from "./sample-events.ts";

/** A structured message with the sample event of that sequence. */
export function sampleMessage(sequence: number, key = "ca-1"): ReceivedMessage {
  return messageOf(sampleEvent(sequence, key));
}

/** A structured message with an event. */
export function messageOf(event: CertwireEvent): ReceivedMessage {
  return bodyMessage(JSON.stringify(event));
}

/** A message with any body. */
export function bodyMessage(body: string): ReceivedMessage {
  return { place: "test", headers: {}, body: Buffer.from(body), isRedelivered: false };
}
