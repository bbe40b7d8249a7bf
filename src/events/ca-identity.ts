import { hash } from "node:crypto";
import type { ExitRecord, RecordValue } from "../exit/record.ts";
import { parseCertificate } from "../x509/certificate.ts";
import { CaMemory, type FramePlace, type SeenCa } from "./ca-memory.ts";

/** The id while neither a certificate nor a name of the CA is known. */
const unknown = "unknown";

/** The CA of a frame. */
export interface ResolvedCa {
  readonly id: string;
  /** Present if the CA has another certificate than before: what was seen last. */
  readonly previous?: SeenCa;
}

/**
 * Finds out which CA a record is from, and whether its certificate has changed. Its id is the SHA-256 of the public
 * key in the CA's current certificate, which the exit module records with every event. If that is missing (a gap, a
 * fault in the CA), the id is, in this order: the one this frame was given before; the last one seen, since a
 * journal has one CA; `first`; one derived from the CA's name.
 */
export class CaIdentity {
  readonly #memory: CaMemory;
  #lastSeen: string | undefined;
  #lastDer: Buffer | undefined;
  #ofLastDer: Partial<SeenCa> = {};
  #notAfterMs: number | undefined;

  /**
   * `memory`: default one that is empty. `first`: the id to use before a certificate was read, found further on in
   * the journal; default none.
   */
  constructor(memory = new CaMemory(), first?: string) {
    this.#memory = memory;
    this.#lastSeen = first;
  }

  /**
   * The CA that wrote a frame; `record` is absent for a gap. What is new is kept in the memory, from which the answer
   * is the same when the frame is read again. Call it for each frame, in the order of reading.
   */
  resolve(frame: FramePlace, record?: ExitRecord): ResolvedCa {
    const kept = this.#memory.seenAt(frame);
    const own = record ? this.#own(record) : {};
    const id = own.id ?? this.#idWithout(kept, record);
    const certificate = own.certificate ?? kept?.certificate;
    if (id !== kept?.id || certificate !== kept.certificate) {
      this.#memory.keep(frame, { id, ...(certificate !== undefined && { certificate }) });
    }
    if (own.id !== undefined) this.#lastSeen = own.id;
    return { id, ...this.#change(frame, own) };
  }

  /** End of the CA's current certificate, in ms since 1970, by the newest record that had it; `undefined` if none had. */
  get notAfterMs(): number | undefined {
    return this.#notAfterMs;
  }

  /** The id for a record that has no certificate. */
  #idWithout(kept: SeenCa | undefined, record: ExitRecord | undefined): string {
    if (kept === undefined) return this.#lastSeen ?? nameId(record);
    return kept.id === unknown ? nameId(record) : kept.id;
  }

  #change(frame: FramePlace, { certificate }: Partial<SeenCa>): Pick<ResolvedCa, "previous"> {
    const previous = certificate === undefined ? undefined : this.#memory.seenBefore(frame);
    return previous && previous.certificate !== certificate ? { previous } : {};
  }

  /** What the record itself says. The request's row may have an older certificate, which is not the current one. */
  #own(record: ExitRecord): Partial<SeenCa> {
    const current = record.ca.get("RawCACertificate");
    if (!Buffer.isBuffer(current)) {
      const id = ownCaId(record);
      return id === undefined ? {} : { id };
    }
    // Nearly every record has the same certificate, so it is parsed only when it changes.
    if (!this.#lastDer?.equals(current)) {
      const { publicKey, notAfter } = parseCertificate(current).certificate;
      const id = publicKey?.sha256;
      this.#notAfterMs = notAfter === undefined ? undefined : Date.parse(notAfter);
      this.#ofLastDer = { certificate: hash("sha256", current), ...(id !== undefined && { id }) };
      this.#lastDer = Buffer.from(current);
    }
    return this.#ofLastDer;
  }
}

/** The id from the CA certificate in a record; `undefined` if it has none that can be parsed. */
export function ownCaId(record: ExitRecord): string | undefined {
  const der = caCertificate(record);
  return der && caIdOf(der);
}

/** The id of the CA with this certificate (DER); `undefined` if it cannot be parsed. */
export function caIdOf(der: Buffer): string | undefined {
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

/** True for two names of the same CA: Windows finds a CA by its name in whatever case. */
export function isSameCaName(one: string, other: string): boolean {
  return one.toUpperCase() === other.toUpperCase();
}
