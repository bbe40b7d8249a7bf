import { type ParsedCertificate, parseCertificate } from "./certificate.ts";
import type { DerReport } from "./der-report.ts";
import type { DistinguishedName } from "./name.ts";
import { type DerReader, tags } from "./reader.ts";

/** Certificates of a message that are read; Windows includes those of its signers and their chains. */
const maxCertificates = 32;

/** A certificate, or `ambiguous` for several that differ. */
type Match = ParsedCertificate | "ambiguous";

/** The certificates that a message has in it, to find those of its signers. */
export class IncludedCertificates {
  readonly #bySerialNumber = new Map<string, Match>();
  readonly #byKey = new Map<string, Match>();

  /** Adds the certificates in `list`; one that is malformed is reported, and found by what could be read. */
  read(list: DerReader, report: DerReport): void {
    let count = 0;
    report.eachMember(list, (member, own) => {
      // Other tags are attribute certificates and other forms.
      if (member.tag !== tags.sequence) return;
      count += 1;
      if (count > maxCertificates) {
        own.add(`more than ${maxCertificates} certificates; this one is not read`);
        return;
      }
      const { certificate, problems } = parseCertificate(list.whole(member));
      const [first] = problems;
      if (first !== undefined) own.add(`${first.part}: ${first.reason}`);
      this.#add(certificate);
    });
  }

  /** The certificate with this issuer and serial number; `undefined` if none is included. */
  bySerialNumber(issuer: DistinguishedName, serialNumber: string): Match | undefined {
    return this.#bySerialNumber.get(keyOf(issuer, serialNumber));
  }

  /** The certificate with this subject key identifier; `undefined` if none is included. */
  byKey(subjectKeyIdentifier: string): Match | undefined {
    return this.#byKey.get(subjectKeyIdentifier);
  }

  #add(certificate: ParsedCertificate): void {
    const { issuer, serialNumber, subjectKeyIdentifier } = certificate;
    if (issuer !== undefined && serialNumber !== undefined) {
      put(this.#bySerialNumber, keyOf(issuer, serialNumber), certificate);
    }
    if (subjectKeyIdentifier !== undefined) put(this.#byKey, subjectKeyIdentifier, certificate);
  }
}

function keyOf({ distinguishedName }: DistinguishedName, serialNumber: string): string {
  return `${serialNumber} ${distinguishedName}`;
}

/** A requester may include any certificate beside the real one, so of two that differ none is taken. */
function put(map: Map<string, Match>, key: string, certificate: ParsedCertificate): void {
  const known = map.get(key);
  const isSame =
    typeof known === "object" && known.fingerprints.sha256 === certificate.fingerprints.sha256;
  if (!isSame) map.set(key, known === undefined ? certificate : "ambiguous");
}
