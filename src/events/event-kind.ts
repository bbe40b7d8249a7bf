import { dispositions, exitEvents } from "../exit/ca-codes.ts";
import type { ExitRecord } from "../exit/record.ts";
import { RepeatedValues } from "../repeated-values.ts";
import type { CertwireEvent, EventKind } from "./event.ts";
import { eventKinds } from "./event.ts";

const releasedFromHold = -1;

/** The kind of a record, from event bit and disposition; never from texts, which are localized. */
export function kindOfRecord({ event, request }: ExitRecord): EventKind {
  const disposition = request.get("Disposition");
  switch (event) {
    case exitEvents.issued:
      return "certificate.issued";
    case exitEvents.pending:
      return "request.pending";
    case exitEvents.denied:
      if (disposition === dispositions.denied) return "request.denied";
      return disposition === dispositions.failed ? "request.failed" : "ca.unrecognized";
    case exitEvents.revoked:
      if (disposition === dispositions.revoked) return "certificate.revoked";
      return disposition === dispositions.issued &&
        revokedReason(request.get("RevokedReason")) === releasedFromHold
        ? "certificate.unrevoked"
        : "ca.unrecognized";
    case exitEvents.retrievePending:
      return "request.retrieved";
    case exitEvents.crlIssued:
      return "crl.issued";
    case exitEvents.shutdown:
      return "ca.stopped";
    case exitEvents.startup:
      return "ca.started";
    case exitEvents.imported:
      return "certificate.imported";
    default:
      return "ca.unrecognized";
  }
}

/** The reason as a signed number, because -1 may also be recorded as 0xffffffff. */
function revokedReason(value: unknown): number | undefined {
  return typeof value === "number" ? value | 0 : undefined;
}

const kinds: ReadonlySet<string> = new Set(eventKinds);

/** The kind of an event, from its type with any prefix. Throws `TypeError` for a type that is not Certwire's. */
export function kindOf({ type }: Pick<CertwireEvent, "type">): EventKind {
  const known = knownTypes.get(type);
  if (known !== undefined) return known;
  const kind = lastParts(type);
  if (!kinds.has(kind)) throw new TypeError(`not a Certwire event type: ${type}`);
  knownTypes.keep(type, kind as EventKind);
  return kind as EventKind;
}

const knownTypes = new RepeatedValues<EventKind>();

/** True if `kindOf` knows the type. */
export function isOwnType(type: string): boolean {
  return kinds.has(lastParts(type));
}

function lastParts(type: string): string {
  return /([a-z]+\.[a-z]+)\.v\d+$/.exec(type)?.[1] ?? "";
}
