import { dispositions, exitEvents } from "../exit/ca-codes.ts";
import type { SimulatedEvent } from "../native/addon.ts";
import type { IssuingAuthority } from "./issuing-authority.ts";
import type { Crls } from "./key-crls.ts";
import { type RequestRow, rowContent } from "./request-row.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** HRESULTs of denied and failed requests. */
export const statusCodes = {
  deniedByManager: 0x80094014,
  templateDenied: 0x80094012,
  badRequestSignature: 0x80090006,
  unparsable: 0x8009310b,
} as const;

/** The account of the CA manager. */
export const manager = "CORP\\pki.manager";

/** Why and when a request got its final state. */
export interface Resolution {
  readonly statusCode: number;
  /** `DispositionMessage`. */
  readonly message: string;
}

/** A revocation. */
export interface RevocationOrder {
  /** Reason code of RFC 5280. */
  readonly reason: number;
  /** Who revokes. Default `manager`. */
  readonly by?: string | undefined;
}

/**
 * What a certification authority does to the rows of its database: each call changes one row, and returns the event
 * as certsrv would notify its exit module of it. The simulator chooses the calls at random, the test kit by its user.
 */
export class CertificationAuthority {
  readonly authority: IssuingAuthority;
  readonly #random: SeededRandom;

  /** `random`: for the serial numbers. */
  constructor(authority: IssuingAuthority, random: SeededRandom) {
    this.authority = authority;
    this.#random = random;
  }

  /** The event that the exit module itself records when the CA starts. */
  started(): SimulatedEvent {
    return this.#caEvent(exitEvents.startup);
  }

  /** The event of a CA that stops. */
  stopped(): SimulatedEvent {
    return this.#caEvent(exitEvents.shutdown);
  }

  /** A request waits for a manager. */
  pend(row: RequestRow): SimulatedEvent {
    return this.#rowEvent(exitEvents.pending, row);
  }

  /** Signs the certificate of a row. */
  issue(row: RequestRow, now: Date, message: string): SimulatedEvent {
    this.#sign(row, now, message);
    return this.#rowEvent(exitEvents.issued, row);
  }

  /** Takes a certificate that is not in the database into it; `row` is one that `importedRow` made. */
  import(row: RequestRow, now: Date): SimulatedEvent {
    this.#sign(row, now, "Issued");
    return this.#rowEvent(exitEvents.imported, row);
  }

  #sign(row: RequestRow, now: Date, message: string): void {
    const serialNumber = this.authority.serialNumber(row.requestId, this.#random);
    const { subject, key, extensions } = row;
    const validityDays = row.validityDays ?? row.template.validityDays;
    const content = { serialNumber, subject, key, extensions, now, validityDays };
    row.certificate = { serialNumber, ...this.authority.issue(content) };
    row.disposition = dispositions.issued;
    row.statusCode = 0;
    row.message = message;
    row.resolved = now;
  }

  /** A manager or the policy module denies a request. */
  deny(row: RequestRow, now: Date, resolution: Resolution): SimulatedEvent {
    resolve(row, dispositions.denied, now, resolution);
    return this.#rowEvent(exitEvents.denied, row);
  }

  /** The CA cannot process a request; one that cannot be parsed has no more than its first bytes. */
  fail(row: RequestRow, now: Date, resolution: Resolution): SimulatedEvent {
    resolve(row, dispositions.failed, now, resolution);
    if (resolution.statusCode !== statusCodes.unparsable) {
      return this.#rowEvent(exitEvents.denied, row);
    }
    const rawRequest = row.rawRequest?.subarray(0, 120) ?? Buffer.alloc(0);
    return this.#rowEvent(exitEvents.denied, { ...row, rawRequest, extensions: [] });
  }

  /** The requester fetches the certificate of a request that was pending. */
  retrieve(row: RequestRow): SimulatedEvent {
    return this.#rowEvent(exitEvents.retrievePending, row);
  }

  /** Revokes the certificate of a row; reason 6 puts it on hold. */
  revoke(row: RequestRow, now: Date, { reason, by = manager }: RevocationOrder): SimulatedEvent {
    row.disposition = dispositions.revoked;
    row.message = `Revoked by ${by}\n`;
    row.revocation = { reason, when: now };
    if (row.certificate) {
      const { serialNumber, issuerNameId } = row.certificate;
      this.authority.revoke(issuerNameId, { serialNumber, revokedAt: now, reason });
    }
    return this.#rowEvent(exitEvents.revoked, row);
  }

  /** Releases the certificate of a row from hold. */
  release(row: RequestRow, now: Date): SimulatedEvent {
    row.disposition = dispositions.issued;
    row.revocation = { reason: -1, when: now };
    if (row.certificate) {
      const { serialNumber, issuerNameId } = row.certificate;
      this.authority.release(issuerNameId, serialNumber, now);
    }
    return this.#rowEvent(exitEvents.revoked, row);
  }

  /** Publishes CRLs; the event has all that are current. */
  publish(kind: keyof Crls, now: Date): SimulatedEvent {
    this.authority.publishCrls(kind, now);
    const event = this.#caEvent(exitEvents.crlIssued);
    return { ...event, certificate: { ...event.certificate, ...this.authority.crlProperties() } };
  }

  /** An event that the CA has no other call for, about a row or about none. */
  notify(event: number, row?: RequestRow): SimulatedEvent {
    return row === undefined ? this.#caEvent(event) : this.#rowEvent(event, row);
  }

  #caEvent(event: number): SimulatedEvent {
    const certificate = this.authority.properties;
    return { event, context: 0, request: {}, certificate, attributes: [], extensions: [] };
  }

  #rowEvent(event: number, row: RequestRow): SimulatedEvent {
    const content = rowContent(row);
    const certificate = { ...this.authority.properties, ...content.certificate };
    return { event, context: row.requestId, ...content, certificate };
  }
}

/** The row of an imported certificate: of a request it has only what the certificate says. `by`: who imports it. */
export function importedRow(row: RequestRow, by = manager): RequestRow {
  const { rawRequest: _, ...certificate } = row;
  const account = { ...row.account, samName: by };
  return { ...certificate, account, caller: by, requestedSubject: row.subject, attributes: [] };
}

function resolve(
  row: RequestRow,
  disposition: number,
  now: Date,
  { statusCode, message }: Resolution,
): void {
  row.disposition = disposition;
  row.statusCode = statusCode;
  row.message = message;
  row.resolved = now;
}
