import { exitEvents } from "../../src/exit/ca-codes.ts";
import type { SimulatedEvent } from "../../src/native/addon.ts";
import { SimulatedCa } from "../../src/simulate/simulated-ca.ts";

/** The simulated CA with a clock that steps 7.3 s with each event, so that files never differ. */
export function createCa(seed: string): SimulatedCa {
  let now = Date.parse("2026-03-02T08:15:30.125Z");
  return new SimulatedCa({ seed, now: () => new Date((now += 7_300)) });
}

/** Every kind of event that the simulated CA is expected to give. */
const kinds: Record<string, (event: SimulatedEvent) => boolean> = {
  issued: (event) => event.event === exitEvents.issued && !isApproved(event),
  approved: (event) => event.event === exitEvents.issued && isApproved(event),
  pending: (event) => event.event === exitEvents.pending,
  denied: (event) => event.event === exitEvents.denied && long(event, "Disposition") === 31,
  failed: (event) => event.event === exitEvents.denied && long(event, "Disposition") === 30,
  retrieved: (event) => event.event === exitEvents.retrievePending,
  revoked: (event) => event.event === exitEvents.revoked && reason(event) < 6 && reason(event) >= 0,
  held: (event) => event.event === exitEvents.revoked && reason(event) === 6,
  released: (event) => event.event === exitEvents.revoked && reason(event) === -1,
  imported: (event) => event.event === exitEvents.imported,
  crl: (event) => event.event === exitEvents.crlIssued,
};

function long(event: SimulatedEvent, name: string): number | undefined {
  const value = event.request[name];
  return value && "long" in value ? value.long : undefined;
}

function reason(event: SimulatedEvent): number {
  return long(event, "RevokedReason") ?? Number.NaN;
}

function isApproved(event: SimulatedEvent): boolean {
  const message = event.request["DispositionMessage"];
  return message !== undefined && "string" in message && message.string.startsWith("Resubmitted");
}

/** The next `count` events; throws when a kind of event is missing among them. */
export function takeEvents(ca: SimulatedCa, count: number): SimulatedEvent[] {
  const events = Array.from({ length: count }, () => ca.next());
  for (const [kind, matches] of Object.entries(kinds)) {
    if (!events.some(matches)) throw new Error(`no event of the kind ${kind}: take another seed`);
  }
  return events;
}

/** The challenge passwords among the attributes of the events. */
export function secretsOf(events: readonly SimulatedEvent[]): string[] {
  const secrets = events
    .flatMap((event) => event.attributes)
    .filter(([name]) => /^(expected)?challenge$/i.test(name))
    .map(([, value]) => value);
  return [...new Set(secrets)];
}

/** Names of the properties that are the CA's own. */
export function caNamesOf(ca: SimulatedCa): Set<string> {
  return new Set(Object.keys(ca.started().certificate));
}
