import { hash } from "node:crypto";
import { type Algorithm, readAlgorithm } from "./algorithm.ts";
import {
  type CertificateExtensions,
  certificateExtensionHandlers,
} from "./certificate-extensions.ts";
import { attempt, readExtensions } from "./extensions.ts";
import { integerHex } from "./integer.ts";
import { type DistinguishedName, readName } from "./name.ts";
import { type PublicKey, readPublicKey } from "./public-key.ts";
import { DerReader, tags } from "./reader.ts";
import { timeText } from "./time.ts";

/** What a certificate says; a part that could not be read is absent and named in `problems`. */
export interface ParsedCertificate extends CertificateExtensions {
  /** 1, 2 or 3. */
  version?: number;
  /** Upper-case hex without leading zero bytes. */
  serialNumber?: string;
  subject?: DistinguishedName;
  issuer?: DistinguishedName;
  /** RFC 3339, UTC. */
  notBefore?: string;
  notAfter?: string;
  publicKey?: PublicKey;
  signatureAlgorithm?: Algorithm;
  /** Hashes of the whole certificate, lower-case hex. */
  fingerprints: { readonly sha1: string; readonly sha256: string };
}

/** A part of a value that could not be read, and why. */
export interface DerProblem {
  readonly part: string;
  readonly reason: string;
}

/** Parses an X.509 certificate. Never throws: malformed parts are left out and named. */
export function parseCertificate(der: Buffer): {
  readonly certificate: ParsedCertificate;
  readonly problems: readonly DerProblem[];
} {
  const certificate: ParsedCertificate = {
    fingerprints: { sha1: hash("sha1", der), sha256: hash("sha256", der) },
  };
  const problems: DerProblem[] = [];
  const report = (part: string) => (reason: string) => problems.push({ part, reason });
  attempt(() => readCertificate(new DerReader(der), certificate, report), report("certificate"));
  return { certificate, problems };
}

type Report = (part: string) => (reason: string) => void;

function readCertificate(outer: DerReader, certificate: ParsedCertificate, report: Report): void {
  const signed = outer.sequence();
  const reader = signed.sequence();
  const version = reader.optional(0xa0);
  certificate.version = 1;
  if (version !== undefined) {
    const inner = reader.inside(version);
    attempt(() => {
      certificate.version = inner.smallInteger(inner.next(tags.integer)) + 1;
    }, report("version"));
  }
  const serialNumber = reader.content(reader.next(tags.integer));
  // Each part is skipped by its header first, so a malformed one does not hide those behind it.
  const algorithm = reader.inside(reader.next(tags.sequence));
  const issuer = reader.next(tags.sequence);
  const validity = reader.inside(reader.next(tags.sequence));
  const subject = reader.next(tags.sequence);
  const publicKey = reader.next(tags.sequence);
  attempt(() => {
    certificate.serialNumber = integerHex(serialNumber);
  }, report("serialNumber"));
  attempt(() => {
    certificate.signatureAlgorithm = readAlgorithm(algorithm);
  }, report("signatureAlgorithm"));
  attempt(() => {
    certificate.issuer = readName(reader, issuer);
  }, report("issuer"));
  attempt(() => {
    certificate.notBefore = timeText(validity, validity.next());
    certificate.notAfter = timeText(validity, validity.next());
  }, report("validity"));
  attempt(() => {
    certificate.subject = readName(reader, subject);
  }, report("subject"));
  attempt(() => {
    certificate.publicKey = readPublicKey(reader, publicKey);
  }, report("publicKey"));
  readCertificateExtensions(reader, certificate, report);
}

function readCertificateExtensions(
  reader: DerReader,
  certificate: ParsedCertificate,
  report: Report,
): void {
  reader.optional(0x81);
  reader.optional(0x82);
  const wrapper = reader.optional(0xa3);
  if (wrapper === undefined) return;
  const inner = reader.inside(wrapper);
  readExtensions(
    reader,
    inner.next(tags.sequence),
    certificateExtensionHandlers,
    certificate,
    (part, reason) => report(part)(reason),
  );
}
