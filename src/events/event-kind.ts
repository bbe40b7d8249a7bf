import type { ExitRecord } from "../exit/record.ts";
import type { CertwireEvent, EventKind } from "./event.ts";
import { eventKinds } from "./event.ts";

const exitEvent = {
  issued: 0x1,
  pending: 0x2,
  denied: 0x4,
  revoked: 0x8,
  retrieved: 0x10,
  crlIssued: 0x20,
  shutdown: 0x40,
  started: 0x80,
  imported: 0x200,
} as const;

const releasedFromHold = -1;

/** What happened, by the event bit and the disposition; never by texts, which are localized. */
export function kindOfRecord({ event, request }: ExitRecord): EventKind {
  const disposition = request.get("Disposition");
  switch (event) {
    case exitEvent.issued:
      return "certificate.issued";
    case exitEvent.pending:
      return "request.pending";
    case exitEvent.denied:
      if (disposition === 31) return "request.denied";
      return disposition === 30 ? "request.failed" : "ca.unrecognized";
    case exitEvent.revoked:
      if (disposition === 21) return "certificate.revoked";
      return disposition === 20 && revokedReason(request.get("RevokedReason")) === releasedFromHold
        ? "certificate.unrevoked"
        : "ca.unrecognized";
    case exitEvent.retrieved:
      return "request.retrieved";
    case exitEvent.crlIssued:
      return "crl.issued";
    case exitEvent.shutdown:
      return "ca.stopped";
    case exitEvent.started:
      return "ca.started";
    case exitEvent.imported:
      return "certificate.imported";
    default:
      return "ca.unrecognized";
  }
}

/** A reason as a signed number, because -1 may also arrive as 0xffffffff. */
function revokedReason(value: unknown): number | undefined {
  return typeof value === "number" ? value | 0 : undefined;
}

const kinds: ReadonlySet<string> = new Set(eventKinds);

/** Kind of an event, from its type; works with every type prefix. */
export function kindOf(event: Pick<CertwireEvent, "type">): EventKind {
  const kind = lastParts(event.type);
  if (!kinds.has(kind)) throw new TypeError(`no type of ours: ${event.type}`);
  return kind as EventKind;
}

/** True when a type is one that `kindOf` knows. */
export function isOwnType(type: string): boolean {
  return kinds.has(lastParts(type));
}

function lastParts(type: string): string {
  return /([a-z]+\.[a-z]+)\.v\d+$/.exec(type)?.[1] ?? "";
}
