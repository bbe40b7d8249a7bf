import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ResolvedTlsOptions } from "../sinks/tls-options.ts";

/** Something about the TLS options of one sink. */
export interface TlsFinding {
  readonly option: "caFile" | "certificateFile" | "privateKey";
  /** A warning does not keep the sink from working today. */
  readonly isWarning: boolean;
  readonly message: string;
  readonly hint: string;
}

const certificatePattern = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/** Looks at the files and the key of TLS options as a connection would use them at the time `now`, in ms. */
export function inspectTls(options: ResolvedTlsOptions, now: number): TlsFinding[] {
  const { caFile, certificateFile, privateKey } = options;
  const findings: TlsFinding[] = [];
  if (caFile !== undefined) inspectFile("caFile", caFile, now, findings);
  const certificates =
    certificateFile === undefined
      ? []
      : inspectFile("certificateFile", certificateFile, now, findings);
  if (privateKey === undefined) {
    if (certificateFile !== undefined) findings.push(lone("certificateFile", "privateKey"));
    return findings;
  }
  if (certificateFile === undefined) findings.push(lone("privateKey", "certificateFile"));
  findings.push(...inspectKey(privateKey(), certificates[0]));
  return findings;
}

function inspectFile(
  option: "caFile" | "certificateFile",
  path: string,
  now: number,
  findings: TlsFinding[],
): X509Certificate[] {
  const add = (message: string, hint: string, isWarning = false): void => {
    findings.push({ option, isWarning, message, hint });
  };
  try {
    const texts = readFileSync(path, "latin1").match(certificatePattern) ?? [];
    if (texts.length === 0) add("the file holds no certificate in PEM", pemHint(path));
    const certificates = texts.map((text) => new X509Certificate(text));
    for (const [index, { validFrom, validTo }] of certificates.entries()) {
      const name = `certificate ${index + 1} of ${certificates.length}`;
      const renew = `Put a certificate that is valid into ${path}`;
      if (Date.parse(validTo) < now) add(`${name} has expired on ${day(validTo)}`, renew, true);
      if (Date.parse(validFrom) > now)
        add(`${name} is valid from ${day(validFrom)} on`, renew, true);
    }
    return certificates;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) add("the file holds a certificate that is damaged", pemHint(path));
    else
      add(
        `the file cannot be read: ${code}`,
        `Check that ${path} exists and that this account may read it.`,
      );
    return [];
  }
}

function inspectKey(text: string, certificate: X509Certificate | undefined): TlsFinding[] {
  const finding = { option: "privateKey", isWarning: false } as const;
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    const hint = "It must be PEM without a passphrase: -----BEGIN PRIVATE KEY-----";
    return [{ ...finding, message: "the secret is no private key that can be used", hint }];
  }
  if (certificate === undefined || certificate.checkPrivateKey(key)) return [];
  const hint = "The client's certificate must come first in certificateFile.";
  return [{ ...finding, message: "the key does not belong to the client certificate", hint }];
}

function lone(option: "certificateFile" | "privateKey", other: string): TlsFinding {
  const hint = "A client certificate is used with its key only.";
  return { option, isWarning: false, message: `needs ${other} too`, hint };
}

function pemHint(path: string): string {
  return `Write PEM into ${path}: -----BEGIN CERTIFICATE-----`;
}

/** The day of a date as OpenSSL prints it. */
function day(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}
