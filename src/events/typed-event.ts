import type { CertwireEvent, EventKind } from "./event.ts";
import { kindOf } from "./event-kind.ts";
import type { EventData } from "./schemas/event-data.ts";

/** An event of one kind with the type of its data. */
export type TypedEvent<K extends EventKind> = Omit<CertwireEvent, "data"> & {
  readonly data: EventData[K];
};

/** True if `event` is of the given kind, whatever the type prefix; narrows the type of its `data`. */
export function isKind<K extends EventKind>(
  event: Pick<CertwireEvent, "type">,
  kind: K,
): event is TypedEvent<K> {
  return kindOf(event) === kind;
}
