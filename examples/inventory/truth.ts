// For the tests: what the inventory must say, from what happened at the simulated CA. Knows nothing of events.
import type { SimulatedEvent, SimulatedValue } from "../../src/native/addon.ts";

/** The inventory as the tests compare it. */
export interface InventoryTruth {
  /** State by request ID. */
  readonly requests: Readonly<Record<string, string>>;
  /** State and reason by serial number. */
  readonly certificates: Readonly<Record<string, string>>;
  readonly imported: readonly string[];
  /** Serial numbers of the valid certificates that end within 30 days. */
  readonly expiring: readonly string[];
  /** Numbers of the newest base and delta CRL. */
  readonly crls: Readonly<Record<string, number>>;
}

const thirtyDaysMs = 30 * 86_400_000;
/** EXITEVENT_* bits. */
const bits = { issued: 1, pending: 2, denied: 4, revoked: 8, crl: 0x20, imported: 0x200 };
/** Words for the CRL reasons that the simulated CA uses. */
const reasons: Readonly<Record<number, string>> = {
  0: "unspecified",
  1: "keyCompromise",
  3: "affiliationChanged",
  4: "superseded",
  5: "cessationOfOperation",
  6: "certificateHold",
};

/** Follows the CA event by event. */
export function truthOf(happened: readonly SimulatedEvent[], now: number): InventoryTruth {
  const requests: Record<string, string> = {};
  const certificates: Record<string, string> = {};
  const ends: Record<string, number> = {};
  const imported: string[] = [];
  const crls: Record<string, number> = {};
  for (const { event, context, request, certificate } of happened) {
    const serial = "SerialNumber" in certificate ? text(certificate["SerialNumber"]) : "";
    if (event === bits.pending) requests[context] = "pending";
    if (event === bits.denied) {
      requests[context] = number(request["Disposition"]) === 31 ? "denied" : "failed";
    }
    if (event === bits.issued || event === bits.imported) {
      requests[context] = "issued";
      certificates[serial] = "valid";
      ends[serial] = dateMs(certificate["NotAfter"]);
      if (event === bits.imported) imported.push(serial);
    }
    if (event === bits.revoked) certificates[serial] = stateBy(number(request["RevokedReason"]));
    if (event === bits.crl) {
      const base = crlNumber(certificate["RawCRL.0"]);
      const delta = crlNumber(certificate["RawDeltaCRL.0"]);
      // The CA shows both; those with the highest number are the ones that it has published now.
      if (base >= delta) crls["base"] = base;
      if (delta >= base) crls["delta"] = delta;
    }
  }
  const isSoon = (serial: string) => {
    const left = (ends[serial] ?? 0) - now;
    return certificates[serial] === "valid" && left > 0 && left < thirtyDaysMs;
  };
  return {
    requests,
    certificates,
    imported: imported.toSorted(),
    expiring: Object.keys(ends).filter(isSoon).toSorted(),
    crls,
  };
}

function stateBy(reason: number): string {
  if (reason === -1) return "valid";
  return `${reason === 6 ? "on hold" : "revoked"}: ${reasons[reason]}`;
}

function text(value: SimulatedValue | undefined): string {
  if (value === undefined || !("string" in value)) throw new TypeError("not a text");
  return value.string.toUpperCase();
}

function number(value: SimulatedValue | undefined): number {
  if (value === undefined || !("long" in value)) throw new TypeError("not a number");
  return value.long;
}

/** Days since the end of 1899 as ms since 1970. */
function dateMs(value: SimulatedValue | undefined): number {
  if (value === undefined || !("date" in value)) throw new TypeError("not a date");
  return (value.date - 25_569) * 86_400_000;
}

/** The number of a CRL: an INTEGER in the extension 2.5.29.20. */
function crlNumber(value: SimulatedValue | undefined): number {
  if (value === undefined || !("binary" in value)) throw new TypeError("not a binary");
  const at = value.binary.indexOf("0603551d14", 0, "hex") + 5;
  // OCTET STRING and INTEGER, each with a tag and a length of one byte.
  return value.binary.readUIntBE(at + 4, value.binary[at + 3] ?? 0);
}
