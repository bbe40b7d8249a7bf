import type { Checked } from "./checked.ts";
import type { Gap } from "./gaps.ts";
import type { NumberSetState } from "./number-set.ts";
import type { PartialRecordState } from "./partial-records.ts";
import type { Range } from "./ranges.ts";

/** Saved form of an epoch. */
export interface EpochState {
  readonly id: string;
  readonly number: number;
  readonly cas: readonly string[];
  readonly sources: readonly string[];
  readonly since: string;
  readonly until: string;
  readonly first: number;
  readonly firstLive: number | null;
  readonly last: number | null;
  readonly stoppedAt: number | null;
  readonly events: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly seen: NumberSetState;
  readonly changes: NumberSetState;
  readonly partial: readonly PartialRecordState[];
  readonly gaps: readonly Gap[];
}

/** Reads the saved form of an epoch. Throws a TypeError if it is not one. */
export function readEpochState(state: Checked): EpochState {
  return {
    id: state.get("id").text(/^[0-9a-f]{32}$/),
    number: state.get("number").count(),
    cas: state.get("cas").list((each) => each.text()),
    sources: state.get("sources").list((each) => each.text()),
    since: state.get("since").text(),
    until: state.get("until").text(),
    first: state.get("first").count(),
    firstLive: state.get("firstLive").countOrNull(),
    last: state.get("last").countOrNull(),
    stoppedAt: state.get("stoppedAt").countOrNull(),
    events: state.get("events").count(),
    duplicates: state.get("duplicates").count(),
    lost: state.get("lost").count(),
    seen: readNumbers(state.get("seen")),
    changes: readNumbers(state.get("changes")),
    partial: state.get("partial").list(readPartial),
    gaps: state.get("gaps").list(readGap),
  };
}

function readNumbers(state: Checked): NumberSetState {
  return {
    full: state.get("full").list(readRange),
    open: state.get("open").list((each) => {
      const places = each.get(1);
      return [each.get(0).count(), places.isText ? places.text() : places.list(readRange)];
    }),
  };
}

function readRange(state: Checked): Range {
  return [state.get(0).count(), state.get(1).count()];
}

function readPartial(state: Checked): PartialRecordState {
  const indexes = (at: number): number[] => state.get(at).list((each) => each.count());
  return [state.get(0).count(), indexes(1), indexes(2)];
}

function readGap(state: Checked): Gap {
  const to = state.get("to").optional((each) => each.count());
  const end = to === undefined ? {} : { to };
  return { from: state.get("from").count(), ...end, reason: state.get("reason").text() };
}
