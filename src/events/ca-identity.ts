import { hash } from "node:crypto";
import type { ExitRecord, RecordValue } from "../exit/record.ts";
import type { Frame } from "../journal/frame.ts";
import { parseCertificate } from "../x509/certificate.ts";

/** The id of a gap's CA as long as nothing is known. */
const unknown = "unknown";

/** Which frame is meant. */
export type FramePlace = Pick<Frame, "epochId" | "sequence">;

/** Remembers the id that a frame's CA was given, so that a later reading gives it the same one. */
export interface CaIds {
  /** The id kept for a frame, or for one before it in its epoch; `undefined` when there is none. */
  idAt(frame: FramePlace): string | undefined;
  /** Keeps the id for a frame and those after it in its epoch. Never blocks and never throws. */
  keep(frame: FramePlace, id: string): void;
}

const noIds: CaIds = { idAt: () => undefined, keep: () => undefined };

/**
 * Finds out which CA a record is of. The id is the SHA-256 of the public key of the CA's current
 * certificate, which the exit module records with every event. Where it is missing (a gap, a fault in
 * the CA) the id is the one that this frame was given before, or else that of the CA seen last, since a
 * journal has one CA; before any was seen, `first`, or else one made from the CA's name.
 */
export class CaIdentity {
  readonly #ids: CaIds;
  #lastSeen: string | undefined;
  #lastDer: Buffer | undefined;
  #idOfLastDer: string | undefined;

  /**
   * `ids`: default remembers nothing. `first` stands in before any certificate was read: what the journal
   * holds further on.
   */
  constructor(ids: CaIds = noIds, first?: string) {
    this.#ids = ids;
    this.#lastSeen = first;
  }

  /**
   * Id of the CA of `record`, or of the journal's CA when the frame has no record. A new id is handed to
   * `CaIds.keep`.
   */
  resolveId(frame: FramePlace, record?: ExitRecord): string {
    const kept = this.#ids.idAt(frame);
    const own = record && this.#ownId(record);
    const id = own ?? (kept === unknown ? undefined : kept) ?? this.#guess(kept, record);
    if (id !== kept) this.#ids.keep(frame, id);
    if (own !== undefined) this.#lastSeen = own;
    return id;
  }

  #guess(kept: string | undefined, record: ExitRecord | undefined): string {
    return (kept === undefined ? this.#lastSeen : undefined) ?? nameId(record);
  }

  #ownId(record: ExitRecord): string | undefined {
    const der = caCertificate(record);
    if (der === undefined) return undefined;
    // Nearly every record brings the same certificate; it is parsed when it changes.
    if (!this.#lastDer?.equals(der)) {
      this.#idOfLastDer = keyId(der);
      this.#lastDer = Buffer.from(der);
    }
    return this.#idOfLastDer;
  }
}

/** Id from the CA certificate in a record; `undefined` where there is none that can be read. */
export function ownCaId(record: ExitRecord): string | undefined {
  const der = caCertificate(record);
  return der && keyId(der);
}

function keyId(der: Buffer): string | undefined {
  return parseCertificate(der).certificate.publicKey?.sha256;
}

function caCertificate({ ca, request }: ExitRecord): Buffer | undefined {
  const value: RecordValue | undefined =
    ca.get("RawCACertificate") ?? request.get("RawCACertificate");
  return Buffer.isBuffer(value) ? value : undefined;
}

function nameId(record: ExitRecord | undefined): string {
  const name = record?.ca.get("Name") ?? record?.ca.get("SanitizedCAName");
  return typeof name === "string" ? `name-${hash("sha256", name)}` : unknown;
}
