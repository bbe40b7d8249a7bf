import type { Skipped } from "../sources/event-file.ts";
import type { ReplayPlan } from "../sources/replay-plan.ts";
import { alignRows, say } from "./output.ts";
import type { SelectionOptions } from "./selection-options.ts";

/** How many lines and records of a source a replay leaves out. */
export type SkippedCounts = Record<Skipped, number>;

/** Prints what a replay will send, and where, to standard error. */
export function sayPlan(
  source: string,
  options: SelectionOptions & { readonly toSink?: string },
  plan: ReplayPlan,
  skipped: SkippedCounts,
): void {
  const { from, to, requestId = [] } = options;
  const filters = [
    ...(from ? [`from ${from.toISOString()}`] : []),
    ...(to ? [`to ${to.toISOString()}`] : []),
    ...requestId.map((id) => `request ${id}`),
    ...(options.kind ?? []),
  ];
  const kinds = [...plan.kinds].map(([kind, count]) => `${count} ${kind}`);
  say("replay plan");
  const rows = [
    ["source", `${source}, ${plan.total} events`],
    ["filter", filters.length > 0 ? filters.join(", ") : "none"],
    ["events", [String(plan.selected), ...kinds].join(", ")],
    ...(plan.unwanted > 0
      ? [["left out", `${plan.unwanted} that the sink does not want (\`only\`, \`except\`)`]]
      : []),
    ["times", plan.firstTime ? `${plan.firstTime} to ${plan.lastTime}` : "none"],
    ["target", options.toSink ? `sink ${options.toSink}` : "standard output"],
    ["marks", "replayed: true, ids unchanged, checkpoints untouched"],
    ...warnings(skipped).map((text) => ["warning", text]),
  ];
  for (const row of alignRows(rows)) say(`  ${row}`);
}

function warnings({ line, record }: SkippedCounts): string[] {
  return [
    ...(record > 0 ? [`${record} records cannot be decoded and are left out`] : []),
    ...(line > 0 ? [`${line} lines are not JSON and are left out`] : []),
  ];
}
