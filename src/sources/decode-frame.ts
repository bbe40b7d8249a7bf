import { CertwireError } from "../errors/certwire-error.ts";
import { buildEvents } from "../events/build-events.ts";
import type { CaIdentity } from "../events/ca-identity.ts";
import type { EventOptions } from "../events/envelope.ts";
import type { CertwireEvent } from "../events/event.ts";
import { gapEvent } from "../events/gap-event.ts";
import { undecodable } from "../exit/decode-cbor.ts";
import { decodeGap, type JournalGap } from "../exit/decode-gap.ts";
import { decodeRecord } from "../exit/decode-record.ts";
import type { ExitRecord } from "../exit/record.ts";
import { type Frame, frameTypes } from "../journal/frame.ts";

/** Version of the payload schema that this code reads. */
const schema = 1;

/** State of decoding one journal; create one for each reader and keep it as long as the reader. */
export interface EventContext {
  readonly options: EventOptions;
  /** Which CA the frames are of; it remembers the last one seen. */
  readonly identity: CaIdentity;
}

/** What a frame holds: a record of the exit module, or a loss. */
export type FrameContent = { readonly record: ExitRecord } | { readonly gap: JournalGap };

/** The events of a frame, at least one, and the content they were made of. */
export interface DecodedFrame {
  readonly events: readonly CertwireEvent[];
  readonly content: FrameContent;
}

/**
 * Why a frame has neither content nor events: CERTWIRE_RECORD_UNDECODABLE if it is not a record,
 * CERTWIRE_RECORD_NEWER if this version cannot read it, CERTWIRE_RECORD_FAILED if the frame is not the reason.
 */
export interface UndecodableFrame {
  readonly undecodable: CertwireError;
}

/** Decodes a frame and builds its events. Never throws, whatever the payload holds. */
export function decodeFrame(
  frame: Frame,
  { options, identity }: EventContext,
): DecodedFrame | UndecodableFrame {
  return attempt(() => {
    const content = contentOf(frame);
    const events =
      "gap" in content
        ? [gapEvent(frame, content.gap, identity.resolve(frame).id, options)]
        : buildEvents(frame, content.record, identity, options);
    return { events, content };
  });
}

/** Decodes a frame without building events. Never throws. */
export function decodeContent(frame: Frame): FrameContent | UndecodableFrame {
  return attempt(() => contentOf(frame));
}

function contentOf(frame: Frame): FrameContent {
  if (frame.schema > schema) throw newer(`schema ${frame.schema}`);
  if (frame.schema !== schema) throw undecodable(`schema ${frame.schema} is not known`);
  if (frame.type === frameTypes.gap) return { gap: decodeGap(frame.payload) };
  if (frame.type !== frameTypes.event) throw undecodable(`frame type ${frame.type} is not known`);
  return { record: decodeRecord(frame.payload) };
}

function newer(what: string): CertwireError {
  return new CertwireError("CERTWIRE_RECORD_NEWER", `record: ${what} is of a later version`);
}

/** An unexpected error says nothing about the frame: memory was short, or there is a bug in the decoder. */
function attempt<T>(decode: () => T): T | UndecodableFrame {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof CertwireError) return { undecodable: cause };
    const message = `record: ${String(cause)}`;
    return { undecodable: new CertwireError("CERTWIRE_RECORD_FAILED", message, { cause }) };
  }
}
