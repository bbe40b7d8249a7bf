import { buildEvents } from "../events/build-events.ts";
import { CaIdentity } from "../events/ca-identity.ts";
import { undecodable } from "../exit/decode-cbor.ts";
import { decodeGap } from "../exit/decode-gap.ts";
import { decodeRecord } from "../exit/decode-record.ts";
import type { EventOptions } from "../events/envelope.ts";
import type { CertwireEvent } from "../events/event.ts";
import { type Frame, frameTypes } from "../journal/frame.ts";
import { gapEvent } from "../events/gap-event.ts";

/** Version of the payloads that this code reads. */
const schema = 1;

/** State of reading one journal; make one for each reader and keep it as long as the reader. */
export interface EventContext {
  readonly options: EventOptions;
  readonly identity: CaIdentity;
}

/** Starts reading a journal. */
export function createEventContext(options: EventOptions = {}): EventContext {
  return { options, identity: new CaIdentity() };
}

/**
 * The events of one frame, at least one. Throws CERTWIRE_RECORD_UNDECODABLE when the payload is not
 * what the format says, and nothing else.
 */
export function eventsOfFrame(frame: Frame, context: EventContext): CertwireEvent[] {
  const { options, identity } = context;
  if (frame.schema !== schema) throw undecodable(`schema ${frame.schema} is not known`);
  if (frame.type === frameTypes.gap) {
    return [gapEvent(frame, decodeGap(frame.payload), identity.idOf(frame), options)];
  }
  if (frame.type !== frameTypes.event) throw undecodable(`frame type ${frame.type} is not known`);
  return buildEvents(frame, decodeRecord(frame.payload), identity, options);
}
