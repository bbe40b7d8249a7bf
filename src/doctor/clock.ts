import type { HealthReason } from "../health/health.ts";
import type { ServerTime } from "../sinks/sink-kind.ts";
import { formatDuration } from "../units.ts";
import {
  caution,
  type Finding,
  findings,
  type Problem,
  problem,
  problemsOf,
  skipped,
} from "./finding.ts";

/** What the clock of this machine can be compared with. */
export interface ClockFacts {
  /** Times of servers that sinks need. */
  readonly servers: readonly ServerTime[];
  /** True if the newest record of the journal was compared. */
  readonly hasRecord: boolean;
}

/** A topic may refuse what is a minute off; tokens and certificates bear five. */
const limitMs = { warn: 60_000, error: 300_000 };

const hint = "Check the time service of this machine: w32tm /query /status, or timedatectl.";

/** What the facts mean. `reasons`: those of the health. */
export function judgeClock(facts: ClockFacts, reasons: readonly HealthReason[]): Finding[] {
  const { servers, hasRecord } = facts;
  const problems: Problem[] = problemsOf(reasons, "clock");
  for (const { server, serverMs, ownMs } of servers) {
    const aheadMs = ownMs - serverMs;
    if (Math.abs(aheadMs) < limitMs.warn) continue;
    const way = aheadMs > 0 ? "ahead of" : "behind";
    const seen = `this machine is ${formatDuration(Math.abs(aheadMs))} ${way} ${server}`;
    problems.push((Math.abs(aheadMs) >= limitMs.error ? problem : caution)(seen, hint));
  }
  const compared = [
    ...servers.map(({ server }) => `the Date of ${server}`),
    ...(hasRecord ? ["the newest record, which is not from the future"] : []),
  ];
  const silence = "no answer of Kafka or RabbitMQ says what time it is";
  if (compared.length === 0) return [skipped("clock", `there is no record, and ${silence}`)];
  const others = servers.length === 0 ? `; ${silence}` : "";
  return findings("clock", `compared with ${compared.join(" and ")}${others}`, problems);
}
