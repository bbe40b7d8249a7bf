/** What the last certificate of a template was like. */
export interface TemplateState {
  readonly version: string;
  /** OIDs of the key purposes, sorted. */
  readonly purposes: string;
  readonly flags: string;
  /** True if the CA itself set the extension with the account's SID. */
  readonly hadSid: boolean;
}

/** How a request ended before it was issued. */
export type EarlierDecision = "pending" | "denied" | "failed";

/** A memory as JSON. */
export interface SavedMemory {
  readonly templates: readonly (readonly [string, TemplateState])[];
  readonly decisions: readonly (readonly [string, EarlierDecision])[];
  readonly sids: readonly (readonly [string, string])[];
}

/** Entries of each kind; the oldest go first. */
const maxEntries = 100_000;

/** What some facts compare an event with. Its size is limited. */
export class Memory {
  readonly templates: Map<string, TemplateState>;
  readonly decisions: Map<string, EarlierDecision>;
  /** SIDs that the CA read from the directory, by account. */
  readonly sids: Map<string, string>;

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

/** Sets an entry, which becomes the newest one. */
export function keep<V>(entries: Map<string, V>, key: string, value: V): void {
  entries.delete(key);
  entries.set(key, value);
  if (entries.size <= maxEntries) return;
  const [oldest] = entries.keys();
  if (oldest !== undefined) entries.delete(oldest);
}
