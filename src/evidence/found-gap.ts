import { type EventPlace, foundGapIndex } from "../consumer/completeness/place.ts";
import type { Range } from "../consumer/completeness/ranges.ts";
import { knownKindOf } from "../consumer/read-event.ts";
import type { CertwireEvent } from "../events/event.ts";

/** Reasons of the gaps that the reader of a journal finds. */
const foundReasons: ReadonlySet<unknown> = new Set([
  "corrupt",
  "missing-segment",
  "retention",
  "rollback",
  "unclean-stop",
]);

const decimal = /^\d{1,16}$/;

/** True for the event of a gap that the reader of a journal found. It is not of a record, and has no hashes. */
export function isFoundGap(event: CertwireEvent, { index }: EventPlace): boolean {
  const isGap = knownKindOf(event) === "journal.gap" && event.type.endsWith("journal.gap.v1");
  return index === foundGapIndex && isGap && event.recordhash === undefined;
}

/**
 * The numbers that the event of a found gap says are lost, up to infinity without an end; or the path of what a reader would
 * not have said.
 */
export function lostRange({ data }: CertwireEvent, { sequence }: EventPlace): Range | string {
  const { reason, firstSequence, lastSequence } = data;
  const hidden = new Set(redactedIn(data["problems"]));
  if (!foundReasons.has(reason) && !hidden.has("reason")) return "data.reason";
  if (firstSequence !== String(sequence) && !hidden.has("firstSequence")) {
    return "data.firstSequence";
  }
  if (hidden.has("lastSequence")) return [sequence, sequence];
  if (lastSequence === undefined) return [sequence, Number.POSITIVE_INFINITY];
  const isNumber = typeof lastSequence === "string" && decimal.test(lastSequence);
  const isRange = isNumber && Number(lastSequence) >= sequence;
  return isRange ? [sequence, Number(lastSequence)] : "data.lastSequence";
}

/** Members that a sink does not show. */
function redactedIn(problems: unknown): unknown[] {
  return (Array.isArray(problems) ? (problems as unknown[]) : []).flatMap((each) => {
    const { property, reason } = Object(each) as { property?: unknown; reason?: unknown };
    return reason === "redacted" ? [property] : [];
  });
}
