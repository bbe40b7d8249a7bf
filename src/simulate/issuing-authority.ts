import { domainContext, domainName } from "./accounts.ts";
import type { DistinguishedName } from "./distinguished-name.ts";
import { nameText } from "./distinguished-name.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Properties } from "./served-values.ts";
import { binary, long, text } from "./served-values.ts";
import { createRsaKey, type SigningKey } from "./signing-key.ts";
import { type CrlEntry, ownX509, type X509Maker } from "./x509-builder.ts";
import * as extensions from "./x509-extensions.ts";

const day = 86_400_000;
/** Clock skew that AD CS allows for: certificates and CRLs become valid this much earlier, in ms. */
const clockSkew = 10 * 60_000;
/** Maximum entries in a base CRL; the oldest are dropped first, as if they had expired. */
const maxCrlEntries = 5_000;

/** A revoked certificate, or one released from hold (reason 8, only in delta CRLs). */
export type Revocation = CrlEntry;

/** The newest CRLs of the CA. */
export interface Crls {
  readonly base: Buffer;
  readonly delta: Buffer;
}

/** What an issuing authority is made of. */
export interface AuthorityOptions {
  /** Name of the CA. Default `Corp Issuing CA 1`. */
  readonly name?: string;
  /** The CA's key. Default: an RSA key of 2048 bits from the seed. */
  readonly key?: SigningKey;
  /** Makes the certificates and CRLs. Default: the code of this folder. */
  readonly x509?: X509Maker;
}

/** The key, the certificate and the CRLs of the simulated CA. */
export class IssuingAuthority {
  /** Name of the CA, as the exit module gets it. */
  readonly name: string;
  readonly subject: DistinguishedName;
  readonly certificate: Buffer;
  /** The extensions that the CA adds to every certificate it issues. */
  readonly issuerExtensions: readonly extensions.Extension[];
  /** The properties of the CA, which can be read at every event. */
  readonly properties: Properties;
  readonly #key: SigningKey;
  readonly #x509: X509Maker;
  readonly #revoked = new Map<string, Revocation>();
  #changed = new Map<string, Revocation>();
  #crlNumber = 1;
  #baseNumber = 1;
  #crls: Crls;

  constructor(random: SeededRandom, now: Date, options: AuthorityOptions = {}) {
    this.name = options.name ?? "Corp Issuing CA 1";
    this.subject = [["CN", this.name], ...domainContext];
    this.#x509 = options.x509 ?? ownX509;
    this.#key = options.key ?? createRsaKey(random, 2048);
    this.certificate = this.#makeOwnCertificate(random, now);
    this.issuerExtensions = this.#makeIssuerExtensions();
    this.properties = this.#makeProperties();
    const base = this.#makeCrl(now, 7 * day, []);
    this.#crls = { base, delta: this.#makeDelta(now) };
  }

  #makeOwnCertificate(random: SeededRandom, now: Date): Buffer {
    return this.#x509.certificate(
      {
        serialNumber: `4a${random.bytes(15).toString("hex")}`,
        issuer: this.subject,
        subject: this.subject,
        notBefore: new Date(now.getTime() - 400 * day),
        notAfter: new Date(now.getTime() + 10 * 365 * day),
        publicKeyInfo: this.#key.publicKeyInfo,
        extensions: [
          extensions.keyUsage(["digitalSignature", "keyCertSign", "cRLSign"]),
          extensions.caConstraints(0),
          extensions.subjectKeyIdentifier(this.#key.keyIdentifier),
          extensions.caVersion(0, 0),
        ],
      },
      this.#key,
    );
  }

  #makeIssuerExtensions(): extensions.Extension[] {
    const file = `http://pki.${domainName}/${encodeURIComponent(this.name)}`;
    return [
      extensions.authorityKeyIdentifier(this.#key.keyIdentifier),
      extensions.crlDistributionPoint([`${file}.crl`, this.#directoryUrl()]),
      extensions.authorityInformationAccess({
        issuers: [`${file}.crt`],
        ocsp: [`http://ocsp.${domainName}/ocsp`],
      }),
    ];
  }

  #directoryUrl(): string {
    const container = "CN=CDP,CN=Public Key Services,CN=Services,CN=Configuration";
    const place = `CN=${this.name},${container},${nameText(domainContext).replaceAll(", ", ",")}`;
    return `ldap:///${encodeURI(place)}?certificateRevocationList?base`;
  }

  /** The newest CRLs. */
  get crls(): Crls {
    return this.#crls;
  }

  /** A serial number as AD CS makes it: random, with the request ID at its end. */
  serialNumber(requestId: number, random: SeededRandom): string {
    const id = requestId.toString(16).padStart(8, "0");
    return `61${id}${random.bytes(8).toString("hex")}0000${id}`;
  }

  /** Signs a certificate that is valid from ten minutes before `now`. */
  issue(content: {
    readonly serialNumber: string;
    readonly subject: DistinguishedName;
    readonly key: SigningKey;
    readonly extensions: readonly extensions.Extension[];
    readonly now: Date;
    readonly validityDays: number;
  }): { readonly der: Buffer; readonly notBefore: Date; readonly notAfter: Date } {
    const start = Math.floor((content.now.getTime() - clockSkew) / 1000) * 1000;
    const notBefore = new Date(start);
    const notAfter = new Date(start + content.validityDays * day);
    const der = this.#x509.certificate(
      {
        serialNumber: content.serialNumber,
        issuer: this.subject,
        subject: content.subject,
        notBefore,
        notAfter,
        publicKeyInfo: content.key.publicKeyInfo,
        extensions: content.extensions,
      },
      this.#key,
    );
    return { der, notBefore, notAfter };
  }

  /** Adds a revocation to the next CRLs. */
  revoke(revocation: Revocation): void {
    this.#revoked.set(revocation.serialNumber, revocation);
    this.#changed.set(revocation.serialNumber, revocation);
    if (this.#revoked.size <= maxCrlEntries) return;
    const [oldest] = this.#revoked.keys();
    if (oldest !== undefined) this.#revoked.delete(oldest);
  }

  /** Releases a certificate from hold: it leaves the base CRL, and the delta CRL says so. */
  release(serialNumber: string, revokedAt: Date): void {
    this.#revoked.delete(serialNumber);
    this.#changed.set(serialNumber, { serialNumber, revokedAt, reason: 8 });
  }

  /** Publishes a new delta CRL, or a new base CRL and a delta CRL with the same number. */
  publishCrls(kind: "base" | "delta", now: Date): Crls {
    this.#crlNumber += 1;
    if (kind === "base") {
      this.#baseNumber = this.#crlNumber;
      this.#changed = new Map();
      this.#crls = {
        base: this.#makeCrl(now, 7 * day, [...this.#revoked.values()]),
        delta: this.#makeDelta(now),
      };
    } else {
      this.#crls = { ...this.#crls, delta: this.#makeDelta(now) };
    }
    return this.#crls;
  }

  #makeDelta(now: Date): Buffer {
    const indicator = extensions.deltaCrlIndicator(this.#baseNumber);
    return this.#makeCrl(now, day, [...this.#changed.values()], indicator);
  }

  #makeCrl(
    now: Date,
    lifetime: number,
    entries: readonly CrlEntry[],
    indicator?: extensions.Extension,
  ): Buffer {
    return this.#x509.crl(
      {
        issuer: this.subject,
        thisUpdate: new Date(now.getTime() - clockSkew),
        nextUpdate: new Date(now.getTime() + lifetime + lifetime / 10 + clockSkew),
        entries,
        extensions: [
          extensions.authorityKeyIdentifier(this.#key.keyIdentifier),
          extensions.caVersion(0, 0),
          extensions.crlNumber(this.#crlNumber),
          ...(indicator ? [indicator] : []),
          extensions.nextPublish(new Date(now.getTime() + lifetime)),
        ],
      },
      this.#key,
    );
  }

  #makeProperties(): Properties {
    return {
      CAType: long(1), // enterprise subordinate
      CertCount: long(1),
      "CertState.0": long(3),
      "CRLIndex.0": long(0),
      "CRLState.0": long(3),
      fUseDS: long(1),
      fDeltaCRLsDisabled: long(0),
      MachineDNSName: text(`ca1.${domainName}`),
      SanitizedCAName: text(this.name),
      SanitizedShortName: text(this.name),
      ConfigDN: text(`CN=Configuration,${nameText(domainContext).replaceAll(", ", ",")}`),
      DomainDN: text(nameText(domainContext).replaceAll(", ", ",")),
      LogLevel: long(3),
      SessionCount: long(100),
      ModuleRegistryLocation: text(
        `SYSTEM\\CurrentControlSet\\Services\\CertSvc\\Configuration\\${this.name}\\ExitModules\\Certwire.Exit`,
      ),
      RawCACertificate: binary(this.certificate),
      "RawCACertificate.0": binary(this.certificate),
    };
  }

  /** The current CRLs, which can be read at a CRL event in addition to `properties`. */
  crlProperties(): Properties {
    return {
      "RawCRL.0": binary(this.#crls.base),
      "RawDeltaCRL.0": binary(this.#crls.delta),
    };
  }
}
