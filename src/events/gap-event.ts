import type { JournalGap } from "../exit/decode-gap.ts";
import type { Frame } from "../journal/frame.ts";
import { withoutNul } from "../x509/text.ts";
import { type EventOptions, envelope } from "./envelope.ts";
import type { CertwireEvent } from "./event.ts";
import { filetimeText } from "./times.ts";

/** The event of a loss. Its index is that of the frame: 65535 for a gap that the reader found. */
export function gapEvent(
  frame: Frame,
  gap: JournalGap,
  caId: string,
  options: EventOptions,
): CertwireEvent {
  const { firstSequence, lastSequence, firstTime, lastTime, requestIds } = gap;
  const data = {
    ca: { id: caId },
    reason: withoutNul(gap.reason),
    ...(gap.count !== undefined && { count: jsonInteger(gap.count) }),
    ...(firstSequence !== undefined && { firstSequence: firstSequence.toString() }),
    ...(lastSequence !== undefined && { lastSequence: lastSequence.toString() }),
    ...(firstTime !== undefined && { firstTime: filetimeText(BigInt(firstTime)) }),
    ...(lastTime !== undefined && { lastTime: filetimeText(BigInt(lastTime)) }),
    ...(requestIds !== undefined && { requestIds: requestIds.map(jsonInteger) }),
    problems: [],
  };
  const { index, time } = frame;
  return envelope(frame, { kind: "journal.gap", index, caId, time, data }, options);
}

/** Numbers beyond 2^53 become strings, because JSON readers would round them. */
function jsonInteger(value: number | bigint): number | string {
  return typeof value === "bigint" ? value.toString() : value;
}
