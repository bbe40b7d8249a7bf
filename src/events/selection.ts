import type { CertwireEvent } from "./event.ts";
import { kindOf } from "./event-kind.ts";

/** Which events are replayed; what is absent restricts nothing. */
export interface Selection {
  /** Earliest time of an event. */
  readonly from?: Date | undefined;
  /** Events of this time and later are left out. */
  readonly to?: Date | undefined;
  readonly requestIds?: readonly string[] | undefined;
  /** Kinds (`certificate.issued`) or full types. */
  readonly types?: readonly string[] | undefined;
}

/** True when an event belongs to the selection. */
export function isSelected(event: CertwireEvent, selection: Selection): boolean {
  const { from, to, requestIds, types } = selection;
  const time = Date.parse(event.time);
  if (from && time < from.getTime()) return false;
  if (to && time >= to.getTime()) return false;
  if (types && !types.includes(event.type) && !types.includes(kindOf(event))) return false;
  return !requestIds || requestIds.includes(requestIdOf(event) ?? "");
}

/** Request ID of an event as text; `undefined` for an event of the CA itself. */
export function requestIdOf({ data }: CertwireEvent): string | undefined {
  const groups = [data["request"], data["certificateProperties"]];
  const ids = groups.map((group) => (Object(group) as { requestId?: unknown }).requestId);
  const id = ids.find((each) => typeof each === "number" || typeof each === "string");
  return id === undefined ? undefined : String(id);
}
