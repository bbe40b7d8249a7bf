import type { DistinguishedName } from "./distinguished-name.ts";
import type { SigningKey } from "./signing-key.ts";
import { buildCrl, type CrlEntry } from "./x509-builder.ts";
import * as extensions from "./x509-extensions.ts";

const day = 86_400_000;
/** Maximum entries in a base CRL; the oldest are dropped first, as if they had expired. */
const maxCrlEntries = 5_000;
/** Reason code of a certificate that was released from hold, only in delta CRLs. */
const removeFromCrl = 8;

/** Clock skew that AD CS allows for: certificates and CRLs become valid this much earlier, in ms. */
export const clockSkew = 10 * 60_000;

/** The newest CRLs of a key. */
export interface Crls {
  readonly base: Buffer;
  readonly delta: Buffer;
}

/** What all CRLs of one publication have in common. */
export interface Publication {
  readonly number: number;
  readonly now: Date;
  /** The extension of the newest certificate of the key: which certificate and key of the CA it is. */
  readonly caVersion: extensions.Extension;
}

/** The revocations of what one key of a CA has signed, and the CRLs that it signs. */
export class KeyCrls {
  readonly #issuer: DistinguishedName;
  readonly #key: SigningKey;
  readonly #revoked = new Map<string, CrlEntry>();
  #changed = new Map<string, CrlEntry>();
  #baseNumber: number;
  #newest: Crls;

  /** Publishes the first CRLs, which are empty. */
  constructor(issuer: DistinguishedName, key: SigningKey, first: Publication) {
    this.#issuer = issuer;
    this.#key = key;
    this.#baseNumber = first.number;
    this.#newest = this.#makeBoth(first);
  }

  get newest(): Crls {
    return this.#newest;
  }

  /** Adds a revocation to the next CRLs. */
  revoke(revocation: CrlEntry): void {
    this.#revoked.set(revocation.serialNumber, revocation);
    this.#changed.set(revocation.serialNumber, revocation);
    if (this.#revoked.size <= maxCrlEntries) return;
    const [oldest] = this.#revoked.keys();
    if (oldest !== undefined) this.#revoked.delete(oldest);
  }

  /** Releases a certificate from hold: it leaves the base CRL, and the delta CRL says so. */
  release(serialNumber: string, revokedAt: Date): void {
    this.#revoked.delete(serialNumber);
    this.#changed.set(serialNumber, { serialNumber, revokedAt, reason: removeFromCrl });
  }

  /** Publishes a new delta CRL, or a new base CRL and a delta CRL with the same number. */
  publish(kind: keyof Crls, publication: Publication): void {
    if (kind === "delta") {
      this.#newest = { ...this.#newest, delta: this.#makeDelta(publication) };
      return;
    }
    this.#baseNumber = publication.number;
    this.#changed = new Map();
    this.#newest = this.#makeBoth(publication);
  }

  #makeBoth(publication: Publication): Crls {
    const base = this.#make(publication, 7 * day, [...this.#revoked.values()]);
    return { base, delta: this.#makeDelta(publication) };
  }

  #makeDelta(publication: Publication): Buffer {
    const indicator = extensions.deltaCrlIndicator(this.#baseNumber);
    return this.#make(publication, day, [...this.#changed.values()], indicator);
  }

  #make(
    { number, now, caVersion }: Publication,
    lifetime: number,
    entries: readonly CrlEntry[],
    indicator?: extensions.Extension,
  ): Buffer {
    return buildCrl(
      {
        issuer: this.#issuer,
        thisUpdate: new Date(now.getTime() - clockSkew),
        nextUpdate: new Date(now.getTime() + lifetime + lifetime / 10 + clockSkew),
        entries,
        extensions: [
          extensions.authorityKeyIdentifier(this.#key.keyIdentifier),
          caVersion,
          extensions.crlNumber(number),
          ...(indicator ? [indicator] : []),
          extensions.nextPublish(new Date(now.getTime() + lifetime)),
        ],
      },
      this.#key,
    );
  }
}
