import assert from "node:assert/strict";
import { Completeness } from "../../src/consumer/completeness/completeness.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { Findings } from "../../src/evidence/finding.ts";
import { JournalComparison } from "../../src/evidence/journal-comparison.ts";

const signal = new AbortController().signal;

/** How the events are compared. */
interface Given {
  readonly deadLetters?: ReadonlySet<string>;
  readonly keepsKeys?: boolean;
  readonly isCopy?: boolean;
  /** Called when the journal was read, before the events are. */
  readonly opened?: () => Promise<readonly CertwireEvent[]>;
}

/** Compares events with a journal as `certwire verify` does; the findings as `<kind> <epoch>/<record>`. */
export async function compareEvents(
  directory: string,
  events: readonly CertwireEvent[],
  { deadLetters = new Set(), keepsKeys = false, isCopy = false, opened }: Given = {},
) {
  const findings = new Findings();
  const comparison = await JournalComparison.open(directory, findings, signal, () => undefined);
  comparison.keepsKeys = keepsKeys;
  comparison.isCopy = isCopy;
  const completeness = new Completeness();
  for (const [at, event] of [...events, ...((await opened?.()) ?? [])].entries()) {
    completeness.add(event);
    comparison.add(event, JSON.stringify(event.data), `events:${at + 1}`);
  }
  const report = completeness.report();
  const counts = await comparison.finish(report, deadLetters, signal);
  const holes = report.journals.flatMap((journal) => journal.holes);
  const open = holes.filter((hole) => !comparison.explains(hole));
  const found = findings.list().map(({ kind, epochNumber, sequence }) => {
    return `${kind} ${epochNumber}/${sequence}`;
  });
  return { counts, open, found, details: findings.list().map(({ detail }) => detail) };
}

/** Number of the record of an event. */
export function sequenceOf({ sequence = "" }: CertwireEvent): number {
  return Number(sequence.slice(11));
}

/** The events but for those of one record. */
export function without(event: CertwireEvent, events: readonly CertwireEvent[]): CertwireEvent[] {
  return events.filter(({ sequence }) => sequence !== event.sequence);
}

/** The event of a certificate that was issued in an epoch. */
export function issuedIn(events: readonly CertwireEvent[], epoch: number): CertwireEvent {
  const padded = String(epoch).padStart(10, "0");
  const found = events.filter(
    (each) => each.type.includes("certificate.issued") && each.sequence?.startsWith(padded),
  )[2];
  assert.ok(found);
  return found;
}
