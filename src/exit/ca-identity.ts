import { hash } from "node:crypto";
import { parseCertificate } from "./der/certificate.ts";
import type { ExitRecord, RecordValue } from "./record.ts";

/**
 * Finds out which CA a record is of. The id is the SHA-256 of the public key of the CA's current
 * certificate, which the exit module records with every event. Where it is missing (a gap, a fault in
 * the CA) the id is that of the CA seen last, since a journal has one CA; before any was seen, it
 * comes from the CA's name.
 */
export class CaIdentity {
  #lastSeen: string | undefined;
  #lastDer: Buffer | undefined;

  /** Id of the CA of `record`, or of the journal's CA when there is no record. */
  idOf(record?: ExitRecord): string {
    const der = record && caCertificate(record);
    if (der !== undefined) this.#see(der);
    return this.#lastSeen ?? nameId(record);
  }

  #see(der: Buffer): void {
    // Nearly every record brings the same certificate; it is parsed when it changes.
    if (this.#lastDer?.equals(der)) return;
    const { publicKey } = parseCertificate(der).certificate;
    if (publicKey === undefined) return;
    this.#lastDer = Buffer.from(der);
    this.#lastSeen = publicKey.sha256;
  }
}

function caCertificate({ ca, request }: ExitRecord): Buffer | undefined {
  const value: RecordValue | undefined =
    ca.get("RawCACertificate") ?? request.get("RawCACertificate");
  return Buffer.isBuffer(value) ? value : undefined;
}

function nameId(record: ExitRecord | undefined): string {
  const name = record?.ca.get("Name") ?? record?.ca.get("SanitizedCAName");
  return typeof name === "string" ? `name-${hash("sha256", name)}` : "unknown";
}
