import { hash } from "node:crypto";
import type { ExitRecord, RecordValue } from "../exit/record.ts";
import type { Frame } from "../journal/frame.ts";
import { parseCertificate } from "../x509/certificate.ts";

/** The id while neither a certificate nor a name of the CA is known. */
const unknown = "unknown";

/** What identifies a frame. */
export type FramePlace = Pick<Frame, "epochId" | "sequence">;

/** Remembers the CA id that each frame was given, so that reading it again gives the same id. */
export interface CaIds {
  /** The id of a frame, kept for it or for an earlier one of its epoch; `undefined` if there is none. */
  idAt(frame: FramePlace): string | undefined;
  /** Keeps the id for a frame and the later ones of its epoch. Never blocks and never throws. */
  keep(frame: FramePlace, id: string): void;
}

const noIds: CaIds = { idAt: () => undefined, keep: () => undefined };

/**
 * Finds out which CA a record is from. Its id is the SHA-256 of the public key in the CA's current
 * certificate, which the exit module records with every event. If that is missing (a gap, a fault in the CA),
 * the id is, in this order: the one this frame was given before; the last one seen, since a journal has one
 * CA; `first`; one derived from the CA's name.
 */
export class CaIdentity {
  readonly #ids: CaIds;
  #lastSeen: string | undefined;
  #lastDer: Buffer | undefined;
  #idOfLastDer: string | undefined;

  /**
   * `ids`: default remembers nothing. `first`: the id to use before a certificate was read, found further on
   * in the journal; default none.
   */
  constructor(ids: CaIds = noIds, first?: string) {
    this.#ids = ids;
    this.#lastSeen = first;
  }

  /**
   * The id of the CA that wrote a frame; `record` is absent for a gap. A new id is passed to `CaIds.keep`.
   * Call it for each frame, in the order of reading.
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
    // Nearly every record has the same certificate, so it is parsed only when it changes.
    if (!this.#lastDer?.equals(der)) {
      this.#idOfLastDer = keyId(der);
      this.#lastDer = Buffer.from(der);
    }
    return this.#idOfLastDer;
  }
}

/** The id from the CA certificate in a record; `undefined` if it has none that can be parsed. */
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
