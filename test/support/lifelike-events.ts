import type { CertwireEvent } from "../../src/events/event.ts";
import { exitEvents } from "../../src/exit/ca-codes.ts";
import type { SimulatedEvent, SimulatedValue } from "../../src/native/addon.ts";
import { SimulatedCa } from "../../src/simulate/simulated-ca.ts";
import { encodeRecord, eventContext, eventsOfFrame, frameOf } from "./exit-records.ts";
import { recordOf } from "./simulated-records.ts";

/** A time at a simulated CA: what happened there, and the events that the service makes of it. */
export interface LifelikeEvents {
  readonly happened: readonly SimulatedEvent[];
  readonly events: readonly CertwireEvent[];
}

/**
 * The work of a simulated CA; its clock starts at `startAt` and steps `stepMs` with each event. Without CRLs, which
 * take most of the time, publications are left out.
 */
export function lifelikeEvents(
  seed: string,
  count: number,
  { startAt = Date.parse("2026-03-02T08:00:00Z"), stepMs = 7_300, withCrls = true } = {},
): LifelikeEvents {
  let now = startAt;
  const ca = new SimulatedCa({ seed, now: () => new Date((now += stepMs)) });
  const happened: SimulatedEvent[] = [];
  while (happened.length < count) {
    const event = ca.next();
    if (withCrls || event.event !== exitEvents.crlIssued) happened.push(event);
  }
  const context = eventContext();
  const events = happened.flatMap((event, at) => {
    const record = { ...recordOf(event), crls: crlsOf(event) };
    return eventsOfFrame(frameOf(encodeRecord(record), { sequence: BigInt(at + 1) }), context);
  });
  return { happened, events };
}

function crlsOf({ event, certificate }: SimulatedEvent): [number, number, Buffer][] {
  if (event !== exitEvents.crlIssued) return [];
  return [
    [0, 0, bytes(certificate["RawCRL.0"])],
    [0, 1, bytes(certificate["RawDeltaCRL.0"])],
  ];
}

function bytes(value: SimulatedValue | undefined): Buffer {
  if (value === undefined || !("binary" in value)) throw new TypeError("not a binary");
  return value.binary;
}
