import type { CertwireEvent } from "./certwire.ts";

/** Where an event stands among those of its CA. */
export interface Place {
  readonly epoch: string;
  readonly sequence: string;
  readonly time: string;
}

/** What the last certificate of a template was like. */
export interface TemplateState {
  readonly place: Place;
  readonly version: string;
  /** OIDs of the key purposes, sorted. */
  readonly purposes: string;
  readonly flags: string;
  /** True if the CA itself set the extension with the account's SID. */
  readonly hadSid: boolean;
}

/** How a request ended before it was issued. */
export type EarlierDecision = "pending" | "denied" | "failed";

/** The SID that the CA last read from the directory for an account. */
export interface AccountSid {
  readonly place: Place;
  readonly sid: string;
}

/** A memory as JSON. */
export interface SavedMemory {
  readonly templates: readonly (readonly [string, TemplateState])[];
  readonly decisions: readonly (readonly [string, EarlierDecision])[];
  readonly sids: readonly (readonly [string, AccountSid])[];
}

/** Entries of each kind; the oldest go first. */
const maxEntries = 100_000;

/** What some facts compare an event with. Its size is limited. */
export class Memory {
  readonly templates: Map<string, TemplateState>;
  readonly decisions: Map<string, EarlierDecision>;
  /** SIDs that the CA read from the directory, by account. */
  readonly sids: Map<string, AccountSid>;

  /** Continues with what was saved. Default: empty. */
  constructor(saved?: SavedMemory) {
    this.templates = new Map(saved?.templates);
    this.decisions = new Map(saved?.decisions);
    this.sids = new Map(saved?.sids);
  }

  toJSON(): SavedMemory {
    return {
      templates: [...this.templates],
      decisions: [...this.decisions],
      sids: [...this.sids],
    };
  }
}

/** The place of an event. One from the CA's database stands in no epoch: its time decides. */
export function placeOf({ id, sequence, time }: CertwireEvent): Place {
  if (sequence === undefined) return { epoch: id, sequence: "", time };
  return { epoch: id.slice(0, id.indexOf("-")), sequence, time };
}

/**
 * True if `place` comes after `other`. The time decides between two epochs: a restored CA begins its sequences low again,
 * and each node of a cluster has its own.
 */
export function isAfter(place: Place, other: Place): boolean {
  return place.epoch === other.epoch
    ? place.sequence > other.sequence
    : Date.parse(place.time) > Date.parse(other.time);
}

/** Sets an entry unless there is one of a later event, or of the same one. */
export function keepLatest<V extends { readonly place: Place }>(
  entries: Map<string, V>,
  key: string,
  value: V,
): void {
  const last = entries.get(key);
  if (last === undefined || isAfter(value.place, last.place)) keep(entries, key, value);
}

/** Sets an entry, which becomes the newest one. */
export function keep<V>(entries: Map<string, V>, key: string, value: V): void {
  entries.delete(key);
  entries.set(key, value);
  if (entries.size <= maxEntries) return;
  const [oldest] = entries.keys();
  if (oldest !== undefined) entries.delete(oldest);
}
