import type { CertwireEvent } from "../events/event.ts";
import type { EventFilter } from "../events/event-filter.ts";
import { kindOf } from "../events/event-kind.ts";
import { isSelected, type Selection } from "../events/selection.ts";

/** What a replay will send, counted before anything is sent. */
export interface ReplayPlan {
  /** Events in the source. */
  readonly total: number;
  /** Events that will be sent. */
  readonly selected: number;
  /** Events that meet the selection, but the sink does not want. */
  readonly unwanted: number;
  /** Number of selected events of each kind. */
  readonly kinds: ReadonlyMap<string, number>;
  /** Times of the first and the last selected event. */
  readonly firstTime?: string;
  readonly lastTime?: string;
}

/** Reads the whole source and counts; `filter` is that of the sink, if there is one. Rejects as the source does. */
export async function planReplay(
  source: AsyncIterable<CertwireEvent>,
  selection: Selection,
  filter?: EventFilter,
): Promise<ReplayPlan> {
  const kinds = new Map<string, number>();
  const times: string[] = [];
  let [total, selected, unwanted] = [0, 0, 0];
  for await (const event of source) {
    total += 1;
    if (!isSelected(event, selection)) continue;
    if (filter?.wants(event) === false) {
      unwanted += 1;
      continue;
    }
    selected += 1;
    kinds.set(kindOf(event), (kinds.get(kindOf(event)) ?? 0) + 1);
    times[selected === 1 ? 0 : 1] = event.time;
  }
  const [firstTime, lastTime = firstTime] = times;
  return {
    total,
    selected,
    unwanted,
    kinds,
    ...(firstTime !== undefined && { firstTime }),
    ...(lastTime !== undefined && { lastTime }),
  };
}
