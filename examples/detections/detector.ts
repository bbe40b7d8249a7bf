import type { CertwireEvent } from "./certwire.ts";
import { type Facts, factsOf, remember } from "./facts.ts";
import { type Matcher, matcherOf } from "./match.ts";
import { Memory } from "./memory.ts";
import type { Lists, Rule, Settings } from "./rule.ts";

/** An event that a rule matches. */
export interface Alarm {
  /** The same when the event is delivered again. */
  readonly id: string;
  readonly rule: string;
  readonly title: string;
  readonly level: Rule["level"];
  readonly tags: readonly string[];
  /** Of the event. */
  readonly event: string;
  readonly type: string;
  readonly source: string;
  readonly subject?: string;
  readonly time: string;
  readonly requester?: string;
  readonly caller?: string;
  readonly facts: Facts;
}

/** A rule that is off, and the list that it lacks. */
export interface RuleOff {
  readonly rule: string;
  readonly lacks: string;
}

/** Applies rules to events, one after the other. */
export class Detector {
  readonly memory: Memory;
  readonly rulesOff: readonly RuleOff[];
  readonly #settings: Settings;
  readonly #active: readonly { readonly rule: Rule; readonly matches: Matcher }[];

  /** Throws if a rule cannot be read. */
  constructor(rules: readonly Rule[], settings: Settings = {}, memory = new Memory()) {
    this.memory = memory;
    this.#settings = settings;
    this.rulesOff = rules.flatMap((rule) => lackOf(rule, settings));
    const off = new Set(this.rulesOff.map(({ rule }) => rule));
    this.#active = rules
      .map((rule) => ({ rule, matches: matcherOf(rule.detection) }))
      .filter(({ rule }) => !off.has(rule.id));
  }

  /** The event with its facts, as the rules see it. */
  enrich(event: CertwireEvent): CertwireEvent & { readonly facts: Facts } {
    return { ...event, facts: factsOf(event, this.#settings, this.memory) };
  }

  /** The alarms of an event. Call `remember` once they are out, so that one that gets lost is raised again. */
  detect(event: CertwireEvent): Alarm[] {
    const enriched = this.enrich(event);
    const { lists = {}, each = {} } = this.#settings;
    return this.#active
      .filter(({ rule, matches }) => {
        const rounds: readonly Lists[] =
          rule.forEach === undefined ? [{}] : (each[rule.forEach] ?? []);
        return rounds.some((own) => matches(enriched, { ...lists, ...own }));
      })
      .map(({ rule }) => alarmOf(rule, enriched));
  }

  remember(event: CertwireEvent): void {
    remember(event, this.memory);
  }
}

function lackOf({ id, needs = [], forEach }: Rule, { lists = {}, each = {} }: Settings): RuleOff[] {
  const missing = needs.filter((name) => (lists[name] ?? []).length === 0);
  if (forEach !== undefined && (each[forEach] ?? []).length === 0) missing.push(forEach);
  return missing.slice(0, 1).map((lacks) => ({ rule: id, lacks }));
}

function alarmOf(rule: Rule, event: ReturnType<Detector["enrich"]>): Alarm {
  const { id, source, type, subject, time, facts } = event;
  const request = (event.data["request"] ?? {}) as { requesterName?: string; callerName?: string };
  return {
    id: `${rule.id}/${id}`,
    rule: rule.id,
    title: rule.title,
    level: rule.level,
    tags: rule.tags,
    event: id,
    type,
    source,
    ...(subject !== undefined && { subject }),
    time,
    ...(request.requesterName !== undefined && { requester: request.requesterName }),
    ...(request.callerName !== undefined && { caller: request.callerName }),
    facts,
  };
}
