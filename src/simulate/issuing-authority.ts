import { domainContext, domainName } from "./accounts.ts";
import type { DistinguishedName } from "./distinguished-name.ts";
import { nameText } from "./distinguished-name.ts";
import { type Crls, clockSkew, KeyCrls, type Publication } from "./key-crls.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Properties } from "./served-values.ts";
import { binary, long, text } from "./served-values.ts";
import { createRsaKey, type SigningKey } from "./signing-key.ts";
import { buildCertificate, type CrlEntry } from "./x509-builder.ts";
import * as extensions from "./x509-extensions.ts";

const day = 86_400_000;
/** CertState and CRLState of what is valid. */
const valid = 3;
/** CRLState of a certificate whose CRLs are those of an older certificate with the same key. */
const withoutOwnCrl = 1;

/** What an issuing authority is made of. */
export interface AuthorityOptions {
  /** Name of the CA. Default `Corp Issuing CA 1`. */
  readonly name?: string;
  /** The CA's key. Default: an RSA key of 2048 bits from the seed. */
  readonly key?: SigningKey;
}

/** A key of the CA. */
interface CaKey {
  /** Index of the first certificate for this key; the CA numbers its keys so. */
  readonly index: number;
  readonly key: SigningKey;
  /** When the key's first certificate became valid. */
  readonly notBefore: Date;
}

/** A certificate of the CA. */
interface CaCertificate {
  /** Number of renewals before it. */
  readonly index: number;
  readonly der: Buffer;
  readonly key: CaKey;
}

/** A certificate that the CA has signed. */
export interface SignedCertificate {
  readonly der: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Which key and certificate of the CA signed it: their indexes in the high and the low 16 bits. */
  readonly issuerNameId: number;
}

/** The keys, the certificates and the CRLs of the simulated CA. */
export class IssuingAuthority {
  /** Name of the CA, as the exit module gets it. */
  readonly name: string;
  readonly subject: DistinguishedName;
  readonly #random: SeededRandom;
  /** By their index. */
  readonly #certificates: [CaCertificate, ...CaCertificate[]];
  /** By the index of their key, in the order of the keys. */
  readonly #crls = new Map<number, KeyCrls>();
  #issuerExtensions: readonly extensions.Extension[];
  #properties: Properties;
  #crlNumber = 1;

  constructor(random: SeededRandom, now: Date, options: AuthorityOptions = {}) {
    this.name = options.name ?? "Corp Issuing CA 1";
    this.subject = [["CN", this.name], ...domainContext];
    this.#random = random;
    const key = {
      index: 0,
      key: options.key ?? createRsaKey(random, 2048),
      notBefore: new Date(now.getTime() - 400 * day),
    };
    this.#certificates = [this.#makeCertificate(0, key, now)];
    this.#issuerExtensions = this.#makeIssuerExtensions();
    this.#properties = this.#makeProperties();
    this.#addCrls(key, now);
  }

  /**
   * Gives the CA a new certificate, for a new key or for the one that it has. The CA must be stopped: its properties
   * change.
   */
  renew(now: Date, key?: SigningKey): void {
    const index = this.#certificates.length;
    const caKey = key
      ? { index, key, notBefore: new Date(now.getTime() - clockSkew) }
      : this.#current.key;
    const previous = extensions.previousCaCertificateHash(this.certificate);
    this.#certificates.push(this.#makeCertificate(index, caKey, now, previous));
    this.#issuerExtensions = this.#makeIssuerExtensions();
    this.#properties = this.#makeProperties();
    if (key) this.#addCrls(caKey, now);
  }

  get #current(): CaCertificate {
    return this.#certificates.at(-1) ?? this.#certificates[0];
  }

  /** The CA's newest certificate in DER. */
  get certificate(): Buffer {
    return this.#current.der;
  }

  /** The extensions that the CA adds to every certificate it issues. */
  get issuerExtensions(): readonly extensions.Extension[] {
    return this.#issuerExtensions;
  }

  /** The properties of the CA, which can be read at every event. */
  get properties(): Properties {
    return this.#properties;
  }

  /** The newest CRLs of the CA's newest key. */
  get crls(): Crls {
    return this.#crlsOf(this.#current.key.index).newest;
  }

  #makeCertificate(
    index: number,
    key: CaKey,
    now: Date,
    previous?: extensions.Extension,
  ): CaCertificate {
    const der = buildCertificate(
      {
        serialNumber: `4a${this.#random.bytes(15).toString("hex")}`,
        issuer: this.subject,
        subject: this.subject,
        notBefore: key.notBefore,
        notAfter: new Date(now.getTime() + 10 * 365 * day),
        publicKeyInfo: key.key.publicKeyInfo,
        extensions: [
          extensions.keyUsage(["digitalSignature", "keyCertSign", "cRLSign"]),
          extensions.caConstraints(0),
          extensions.subjectKeyIdentifier(key.key.keyIdentifier),
          extensions.caVersion(index, key.index),
          ...(previous ? [previous] : []),
        ],
      },
      key.key,
    );
    return { index, der, key };
  }

  #makeIssuerExtensions(): extensions.Extension[] {
    const { index, key } = this.#current;
    const place = `http://pki.${domainName}/${encodeURIComponent(this.name)}`;
    return [
      extensions.authorityKeyIdentifier(key.key.keyIdentifier),
      extensions.crlDistributionPoint([
        `${place}${suffix(key.index)}.crl`,
        this.#directoryUrl(key.index),
      ]),
      extensions.authorityInformationAccess({
        issuers: [`${place}${suffix(index)}.crt`],
        ocsp: [`http://ocsp.${domainName}/ocsp`],
      }),
    ];
  }

  #directoryUrl(keyIndex: number): string {
    const container = "CN=CDP,CN=Public Key Services,CN=Services,CN=Configuration";
    const name = `${this.name}${suffix(keyIndex)}`;
    const place = `CN=${name},${container},${nameText(domainContext).replaceAll(", ", ",")}`;
    return `ldap:///${encodeURI(place)}?certificateRevocationList?base`;
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
  }): SignedCertificate {
    const { index, key } = this.#current;
    const start = Math.floor((content.now.getTime() - clockSkew) / 1000) * 1000;
    const notBefore = new Date(start);
    const notAfter = new Date(start + content.validityDays * day);
    const der = buildCertificate(
      {
        serialNumber: content.serialNumber,
        issuer: this.subject,
        subject: content.subject,
        notBefore,
        notAfter,
        publicKeyInfo: content.key.publicKeyInfo,
        extensions: content.extensions,
      },
      key.key,
    );
    return { der, notBefore, notAfter, issuerNameId: key.index * 0x10000 + index };
  }

  /** Adds a revocation to the next CRLs of the key that signed the certificate. */
  revoke(issuerNameId: number, revocation: CrlEntry): void {
    this.#crlsOf(issuerNameId >>> 16).revoke(revocation);
  }

  /** Releases a certificate from hold: it leaves the base CRL, and the delta CRL says so. */
  release(issuerNameId: number, serialNumber: string, revokedAt: Date): void {
    this.#crlsOf(issuerNameId >>> 16).release(serialNumber, revokedAt);
  }

  /** Publishes new CRLs of every key: a delta CRL, or a base CRL and a delta CRL with the same number. */
  publishCrls(kind: keyof Crls, now: Date): void {
    this.#crlNumber += 1;
    for (const [keyIndex, crls] of this.#crls) crls.publish(kind, this.#publication(keyIndex, now));
  }

  #addCrls({ index, key }: CaKey, now: Date): void {
    this.#crls.set(index, new KeyCrls(this.subject, key, this.#publication(index, now)));
  }

  #publication(keyIndex: number, now: Date): Publication {
    const newest = this.#certificates.findLast(({ key }) => key.index === keyIndex);
    const caVersion = extensions.caVersion(newest?.index ?? keyIndex, keyIndex);
    return { number: this.#crlNumber, now, caVersion };
  }

  #crlsOf(keyIndex: number): KeyCrls {
    const crls = this.#crls.get(keyIndex);
    if (crls === undefined) throw new RangeError(`the CA has no key ${keyIndex}`);
    return crls;
  }

  #makeProperties(): Properties {
    return {
      CAType: long(1), // enterprise subordinate
      CertCount: long(this.#certificates.length),
      ...this.#indexed(({ index, key }) => ({
        [`CertState.${index}`]: long(valid),
        [`CRLIndex.${index}`]: long(key.index),
        [`CRLState.${index}`]: long(index === key.index ? valid : withoutOwnCrl),
        ...(index > 0 && { [`CertSuffix.${index}`]: text(suffix(index)) }),
        ...(key.index > 0 && { [`CRLSuffix.${index}`]: text(suffix(key.index)) }),
      })),
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
      ...this.#indexed(({ index, der }) => ({ [`RawCACertificate.${index}`]: binary(der) })),
    };
  }

  #indexed(properties: (certificate: CaCertificate) => Properties): Properties {
    return Object.assign({}, ...this.#certificates.map(properties));
  }

  /** The current CRLs, which can be read at a CRL event in addition to `properties`. */
  crlProperties(): Properties {
    const all = [...this.#crls].map(([index, { newest }]) => ({
      [`RawCRL.${index}`]: binary(newest.base),
      [`RawDeltaCRL.${index}`]: binary(newest.delta),
    }));
    return Object.assign({}, ...all);
  }
}

/** What the CA adds to the names of the files of a certificate, or of the CRLs of a key, after renewals. */
function suffix(index: number): string {
  return index === 0 ? "" : `(${index})`;
}
