import type { CertwireEvent } from "./event.ts";
import { kindOf } from "./event-kind.ts";

/** Which events are chosen; an absent member restricts nothing. */
export interface Selection {
  /** Earliest time, inclusive. */
  readonly from?: Date | undefined;
  /** Latest time, exclusive. */
  readonly to?: Date | undefined;
  /** Request IDs, decimal. */
  readonly requestIds?: readonly string[] | undefined;
  /** Kinds (`certificate.issued`) or full types. */
  readonly types?: readonly string[] | undefined;
}

/** True if an event meets every restriction of the selection. */
export function isSelected(event: CertwireEvent, selection: Selection): boolean {
  const { from, to, requestIds, types } = selection;
  if (from && Date.parse(event.time) < from.getTime()) return false;
  if (to && Date.parse(event.time) >= to.getTime()) return false;
  if (types && !types.includes(event.type) && !types.includes(kindOf(event))) return false;
  return !requestIds || requestIds.includes(requestIdOf(event) ?? "");
}

/** The request ID of an event, decimal; `undefined` for an event of the CA itself. */
export function requestIdOf({ data }: CertwireEvent): string | undefined {
  const groups = [data["request"], data["certificateProperties"]];
  const ids = groups.map((group) => (Object(group) as { requestId?: unknown }).requestId);
  return ids.find((id) => typeof id === "number")?.toString();
}
