import type { HealthReason } from "../health/health.ts";
import { type CheckName, checkOfReason, doctorChecks, type Link } from "./checks.ts";

/** How a check ended. `skipped`: it could not be made here, for the reason that it names. */
export type CheckState = "ok" | "warn" | "error" | "skipped";

/** The result of one check; a check that finds several things has several. */
export interface Finding {
  readonly link: Link;
  readonly check: CheckName;
  readonly state: CheckState;
  /** Name of the sink; absent if it is about none. */
  readonly sink?: string;
  /** What was seen, in one line. Written by others, so escape it for a terminal. */
  readonly seen: string;
  /** What to do; present with `warn` and `error`. */
  readonly hint?: string;
  /** Section of the documentation, below `docs/`. */
  readonly docs?: string;
}

/** What is wrong, and what to do. */
export interface Problem {
  readonly state: "warn" | "error";
  readonly seen: string;
  readonly hint: string;
  readonly docs?: string;
}

/** Something that somebody must act upon: events do not flow, or are going to be lost. */
export function problem(seen: string, hint: string, docs?: string): Problem {
  return { state: "error", seen, hint, ...(docs !== undefined && { docs }) };
}

/** Something to know or to plan. */
export function caution(seen: string, hint: string, docs?: string): Problem {
  return { state: "warn", seen, hint, ...(docs !== undefined && { docs }) };
}

/** The findings of a check: its problems, or that all is well with what was seen. */
export function findings(
  check: CheckName,
  seen: string,
  problems: readonly Problem[] = [],
  sink?: string,
): Finding[] {
  const about = { link: doctorChecks[check].link, check, ...(sink !== undefined && { sink }) };
  if (problems.length === 0) return [{ ...about, state: "ok", seen }];
  return problems.map((each) => ({ ...about, ...each }));
}

/** A check that cannot be made here. */
export function skipped(check: CheckName, why: string, sink?: string): Finding {
  const { link } = doctorChecks[check];
  return { link, check, state: "skipped", ...(sink !== undefined && { sink }), seen: why };
}

/** The reasons of health that belong to a check. */
export function problemsOf(
  reasons: readonly HealthReason[],
  check: CheckName,
  sink?: string,
): Problem[] {
  return reasons
    .filter((reason) => checkOfReason[reason.code] === check)
    .filter((reason) => sink === undefined || reason.sink === sink)
    .map(({ state, meaning, detail, sink: whose, hint, docs }) => ({
      state: state === "failing" ? "error" : "warn",
      seen: `${whose === undefined || sink !== undefined ? "" : `${whose}: `}${detail === undefined ? meaning : `${meaning} ${detail}`}`,
      hint,
      docs,
    }));
}

/** The worst of all; what was skipped counts as `ok`. */
export function worstOf(all: readonly Pick<Finding, "state">[]): "ok" | "warn" | "error" {
  if (all.some(({ state }) => state === "error")) return "error";
  return all.some(({ state }) => state === "warn") ? "warn" : "ok";
}
