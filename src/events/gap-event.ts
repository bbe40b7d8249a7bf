import type { JournalGap } from "../exit/decode-gap.ts";
import type { Frame } from "../journal/frame.ts";
import { type EventOptions, envelope } from "./envelope.ts";
import type { CertwireEvent } from "./event.ts";
import { Problems } from "./problems.ts";
import { textValue } from "./property-values.ts";
import { filetimeText } from "./times.ts";

/** The event of a loss. Its index is that of the frame: 65535 for a gap that the reader found. */
export function gapEvent(
  frame: Frame,
  gap: JournalGap,
  caId: string,
  options: EventOptions,
): CertwireEvent {
  const { count, firstSequence, lastSequence, firstTime, lastTime } = gap;
  const problems = new Problems();
  const requestIds = gap.requestIds?.filter((id) => isLong(id, problems));
  const data = {
    ca: { id: caId },
    reason: textValue(gap.reason, "reason", problems),
    ...(count !== undefined && { count: count.toString() }),
    ...(firstSequence !== undefined && { firstSequence: firstSequence.toString() }),
    ...(lastSequence !== undefined && { lastSequence: lastSequence.toString() }),
    ...(firstTime !== undefined && { firstTime: filetimeText(BigInt(firstTime)) }),
    ...(lastTime !== undefined && { lastTime: filetimeText(BigInt(lastTime)) }),
    ...(requestIds !== undefined && { requestIds }),
    problems: problems.list,
  };
  const { index, time } = frame;
  return envelope(frame, { kind: "journal.gap", caId, data }, { index, time }, options);
}

/** A request ID is a LONG of the CA; a larger number stands in the problems. */
function isLong(id: number | bigint, problems: Problems): id is number {
  if (typeof id === "number") return true;
  problems.add("requestIds", "range", { type: "integer", value: id.toString() });
  return false;
}
