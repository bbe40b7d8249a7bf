import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { statSync } from "node:fs";
import { EncodingError } from "../files/text-encoding.ts";
import { maxPemBytes, readPemFile } from "../files/text-file.ts";
import type { SinkFinding } from "./sink-kind.ts";
import type { ResolvedTlsOptions } from "./tls-options.ts";

/** When a file of certificates ends. */
export interface CertificateEnd {
  /** Path of the file. */
  readonly file: string;
  /** In ms since 1970: of the client certificate or an intermediate CA the first end, of CAs to trust the last. */
  readonly notAfterMs: number;
}

/** When the files of TLS options end; a file that cannot be read is left out, since connecting reports it. */
export function certificateEnds({ caFile, certificateFile }: ResolvedTlsOptions): CertificateEnd[] {
  const own = certificateFile === undefined ? [] : endOf(certificateFile, Math.min);
  return earliestOfEach([...own, ...(caFile === undefined ? [] : caEnds(caFile))]);
}

/** When a file of CAs to trust ends, at most one; none for a file that cannot be read. */
export function caEnds(file: string): CertificateEnd[] {
  // Bundles hold CAs that ended long ago.
  return endOf(file, Math.max);
}

/** One end for each file: the earliest for one that has several uses. */
export function earliestOfEach(ends: readonly CertificateEnd[]): CertificateEnd[] {
  const earliest = new Map<string, number>();
  for (const { file, notAfterMs } of ends) {
    earliest.set(file, Math.min(notAfterMs, earliest.get(file) ?? notAfterMs));
  }
  return [...earliest].map(([file, notAfterMs]) => ({ file, notAfterMs }));
}

function endOf(file: string, choose: (...ends: number[]) => number): CertificateEnd[] {
  try {
    const ends = endsIn(file);
    return ends.length === 0 ? [] : [{ file, notAfterMs: choose(...ends) }];
  } catch {
    return [];
  }
}

/** The ends of all certificates of a file as it was when it was parsed. */
interface ParsedFile {
  readonly stamp: string;
  readonly ends: readonly number[];
}

/** By path. A bundle of CAs takes 0.1 s to parse, and a running service asks again and again. */
const parsedFiles = new Map<string, ParsedFile>();

function endsIn(file: string): readonly number[] {
  const { ino, mtimeMs, size } = statSync(file);
  const stamp = `${ino} ${mtimeMs} ${size}`;
  const known = parsedFiles.get(file);
  if (known?.stamp === stamp) return known.ends;
  const texts = readPemFile(file, maxPemBytes).match(certificatePattern) ?? [];
  const ends = texts
    .map((text) => Date.parse(new X509Certificate(text).validTo))
    .filter((ms) => !Number.isNaN(ms));
  parsedFiles.set(file, { stamp, ends });
  return ends;
}

const certificatePattern = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/** Checks the files and the key of TLS options as a connection at the time `now` would use them, in ms since 1970. */
export function inspectTls(options: ResolvedTlsOptions, now: number): SinkFinding[] {
  const { caFile, certificateFile, privateKey } = options;
  const findings: SinkFinding[] = [];
  if (caFile !== undefined) inspectFile(["tls", "caFile"], caFile, now, findings);
  const certificates =
    certificateFile === undefined
      ? []
      : inspectFile(["tls", "certificateFile"], certificateFile, now, findings);
  if (privateKey === undefined) {
    if (certificateFile !== undefined) findings.push(lone("certificateFile", "privateKey"));
    return findings;
  }
  if (certificateFile === undefined) findings.push(lone("privateKey", "certificateFile"));
  findings.push(...inspectKey(privateKey(), certificates[0]));
  return findings;
}

/** Checks a file with CA certificates that the option at the path `option` names. */
export function inspectCa(option: readonly string[], path: string, now: number): SinkFinding[] {
  const findings: SinkFinding[] = [];
  inspectFile(option, path, now, findings);
  return findings;
}

function inspectFile(
  option: readonly string[],
  path: string,
  now: number,
  findings: SinkFinding[],
): X509Certificate[] {
  const add = (message: string, hint: string, isWarning = false): void => {
    findings.push({ path: option, isWarning, message, hint });
  };
  try {
    const texts = readPemFile(path, maxPemBytes).match(certificatePattern) ?? [];
    if (texts.length === 0) add("the file contains no PEM certificate", pemHint(path));
    const certificates = texts.map((text) => new X509Certificate(text));
    for (const [index, { validFrom, validTo }] of certificates.entries()) {
      const name = `certificate ${index + 1} of ${certificates.length}`;
      const renew = `Put a valid certificate into ${path}`;
      const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
      if (Number.isNaN(from) || Number.isNaN(to)) {
        add(`the dates of ${name} cannot be read`, renew, true);
      }
      if (to < now) add(`${name} expired on ${day(validTo)}`, renew, true);
      if (from > now) add(`${name} is not valid until ${day(validFrom)}`, renew, true);
    }
    return certificates;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (error instanceof EncodingError) add(`the file is ${error.message}`, pemHint(path));
    else if (syscall === undefined) add("the file contains a damaged certificate", pemHint(path));
    else
      add(
        `the file cannot be read: ${code}`,
        `Check that ${path} exists and that this account may read it.`,
      );
    return [];
  }
}

function inspectKey(text: string, certificate: X509Certificate | undefined): SinkFinding[] {
  const finding = { path: ["tls", "privateKey"], isWarning: false };
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    const hint = "It must be PEM without a passphrase: -----BEGIN PRIVATE KEY-----";
    return [{ ...finding, message: "the secret is not a usable private key", hint }];
  }
  if (certificate === undefined || certificate.checkPrivateKey(key)) return [];
  const hint = "The client certificate must come first in certificateFile.";
  return [{ ...finding, message: "the key does not belong to the client certificate", hint }];
}

function lone(option: "certificateFile" | "privateKey", other: string): SinkFinding {
  const hint = "A client certificate needs its private key, and a key its certificate.";
  return { path: ["tls", option], isWarning: false, message: `needs ${other} too`, hint };
}

function pemHint(path: string): string {
  return `Write PEM into ${path}: -----BEGIN CERTIFICATE-----`;
}

/** The day of a date as OpenSSL prints it. */
function day(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}
