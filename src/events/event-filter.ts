import type { CertwireEvent, EventKind } from "./event.ts";
import { eventKinds } from "./event.ts";
import { type Fact, type FilterFacts, filterFacts } from "./filter-facts.ts";
import { matchesPattern } from "./wildcard.ts";

/** A condition on events: each member that is there must be met, by any one of its patterns. */
export interface EventCondition {
  readonly kind?: readonly string[] | undefined;
  /** Name or OID of the template. */
  readonly template?: readonly string[] | undefined;
  /** The requester as the CA names it, such as `CORP\alice`. */
  readonly requester?: readonly string[] | undefined;
  /** Name or id of the CA. */
  readonly ca?: readonly string[] | undefined;
}

/** Which events a sink gets: those of `only` without those of `except`. */
export interface FilterOptions {
  /** Default: all events. */
  readonly only?: readonly EventCondition[] | undefined;
  /** Default: none. */
  readonly except?: readonly EventCondition[] | undefined;
}

/** `unread` if the event may lack what the condition compares: it could not be read at the CA, or was redacted. */
type Verdict = "met" | "unmet" | "unread";

/**
 * Chooses the events of a sink. Losses, and what the CA itself does, concern whoever reads any of its events: these
 * kinds are left out only by a condition of `except` that names them. What a condition cannot decide, since the value
 * is missing, stays too.
 */
export class EventFilter {
  readonly #only: readonly EventCondition[] | undefined;
  readonly #except: readonly EventCondition[];

  constructor({ only, except = [] }: FilterOptions) {
    this.#only = only;
    this.#except = except;
  }

  /** False if the sink gets every event. */
  get hasConditions(): boolean {
    return this.#only !== undefined || this.#except.length > 0;
  }

  /** True if the sink gets the event. */
  wants(event: CertwireEvent): boolean {
    return this.leftOutBy(event) === undefined;
  }

  /** The option that leaves an event out, such as `only` or `except[1]`; `undefined` if the sink gets it. */
  leftOutBy(event: CertwireEvent): string | undefined {
    if (!this.hasConditions) return undefined;
    const facts = filterFacts(event);
    const isVital = isAboutAll(facts.kind);
    const excepted = this.#except.findIndex(
      (condition) =>
        (!isVital || namesKind(condition, facts.kind)) && meetsCondition(condition, facts),
    );
    if (excepted >= 0) return `except[${excepted}]`;
    if (isVital || this.#only === undefined) return undefined;
    // What the requester claims may bring an event to a sink, but never hide one from it.
    const isWanted = this.#only.some(
      (condition) => verdict(condition, facts, facts.claimedTemplate) !== "unmet",
    );
    return isWanted ? undefined : "only";
  }
}

/** True if an event is known to meet a condition; a value that is missing meets none. */
export function meetsCondition(condition: EventCondition, facts: FilterFacts): boolean {
  return verdict(condition, facts, facts.template) === "met";
}

/** The kinds that a pattern describes. */
export function kindsOf(pattern: string): EventKind[] {
  return eventKinds.filter((kind) => matchesPattern(kind, pattern));
}

function isAboutAll(kind: EventKind): boolean {
  return ["ca.", "journal.", "reconcile."].some((group) => kind.startsWith(group));
}

/** True if a condition has a pattern for the kind that is written out up to its dot, such as `ca.*`. */
function namesKind({ kind: patterns = [] }: EventCondition, kind: EventKind): boolean {
  const group = kind.slice(0, kind.indexOf(".") + 1);
  return patterns.some(
    (pattern) => pattern.toLowerCase().startsWith(group) && matchesPattern(kind, pattern),
  );
}

function verdict(condition: EventCondition, facts: FilterFacts, template: Fact): Verdict {
  const verdicts = [
    compare(condition.kind, { texts: [facts.kind], isUnread: false }),
    compare(condition.template, template),
    compare(condition.requester, facts.requester),
    compare(condition.ca, facts.ca),
  ];
  if (verdicts.includes("unmet")) return "unmet";
  return verdicts.includes("unread") ? "unread" : "met";
}

function compare(patterns: readonly string[] | undefined, { texts, isUnread }: Fact): Verdict {
  if (patterns === undefined) return "met";
  if (patterns.some((pattern) => texts.some((text) => matchesPattern(text, pattern)))) return "met";
  return isUnread ? "unread" : "unmet";
}
