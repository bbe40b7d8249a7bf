import { encode, isWritableOid, libraries, parseElement } from "../../simulate/asn1.ts";
import { type DistinguishedName, isNameAttribute } from "../../simulate/distinguished-name.ts";
import type { Template } from "../../simulate/templates.ts";
import type { AlternativeName, Extension } from "../../simulate/x509-extensions.ts";
import { isCertificateTime } from "./clock.ts";
import { usageError } from "./usage-error.ts";

/** What a certificate will hold of the options of its request. */
export interface CheckedRequest {
  readonly template: Template;
  readonly subject: DistinguishedName;
  readonly names: readonly AlternativeName[];
  readonly extensions: readonly Extension[];
  readonly sid: string | null | undefined;
  readonly validityDays: number;
  /** Time of the request. */
  readonly now: Date;
}

/** Highest number that Windows keeps of a template's revision. */
const maxRevision = 0xffff_ffff;

/**
 * Checks what a request is made of before any of it is encoded: the ASN.1 libraries write many invalid values in
 * another form, or leave them out. Throws CERTWIRE_TESTING_OPTIONS, which names the option and its value.
 */
export function checkRequest(request: CheckedRequest): void {
  checkTemplate(request.template);
  checkName("subject", request.subject);
  for (const [at, name] of request.names.entries()) checkAlternativeName(`sans[${at}]`, name);
  for (const [at, { oid, value }] of request.extensions.entries()) {
    checkOid(`extensions[${at}].oid`, oid);
    checkBytes(`extensions[${at}].value`, value);
  }
  if (typeof request.sid === "string" && !/^S-1(?:-\d+){2,}$/.test(request.sid)) {
    throw invalid("sid", request.sid, "a SID", "Write it as S-1-5-21-1-2-3-1104.");
  }
  checkValidity(request.validityDays, request.now);
}

function checkTemplate({ identifier, version, extendedKeyUsages, keyUsages }: Template): void {
  const { KeyUsageFlags } = libraries.x509;
  // A template of version 1 has a name in place of the OID.
  if (version) checkOid("template.oid", identifier);
  for (const number of version ?? []) {
    if (!Number.isInteger(number) || number < 0 || number > maxRevision) {
      throw invalid("template.version", number, `a whole number from 0 to ${maxRevision}`);
    }
  }
  for (const [at, oid] of extendedKeyUsages.entries()) checkOid(`extendedKeyUsages[${at}]`, oid);
  for (const usage of keyUsages) {
    if (typeof KeyUsageFlags[usage] !== "number") {
      throw invalid(
        "template.keyUsages",
        usage,
        "a key usage",
        "Take one such as keyEncipherment.",
      );
    }
  }
}

function checkName(option: string, name: DistinguishedName): void {
  for (const [attribute, value] of name) {
    if (!isNameAttribute(attribute)) {
      throw invalid(option, attribute, "an attribute of a name", "Take one such as CN or O.");
    }
    if (attribute === "DC" || attribute === "E") checkAscii(`${option}: ${attribute}`, value);
  }
}

function checkAlternativeName(option: string, name: AlternativeName): void {
  if ("dns" in name) return checkAscii(`${option}.dns`, name.dns);
  if ("email" in name) return checkAscii(`${option}.email`, name.email);
  if ("uri" in name) return checkAscii(`${option}.uri`, name.uri);
  if ("ip" in name) return checkAddress(`${option}.ip`, name.ip);
  if ("directory" in name) return checkName(`${option}.directory`, name.directory);
  if ("registeredId" in name) return checkOid(`${option}.registeredId`, name.registeredId);
  if ("upn" in name) return;
  if (!("otherName" in name)) {
    throw invalid(option, name, "an alternative name", 'Write it as { dns: "www.example.com" }.');
  }
  checkOid(`${option}.otherName.oid`, name.otherName.oid);
  checkElement(`${option}.otherName.value`, name.otherName.value);
}

function checkOid(option: string, oid: string): void {
  if (isWritableOid(oid)) return;
  const hint = "Write it as 1.3.6.1.5.5.7.3.1. An arc is below 2^49, or at least 2^56.";
  throw invalid(option, oid, "an object identifier that can be written", hint);
}

function checkAscii(option: string, text: string): void {
  if (/^[\0-\x7f]*$/.test(text)) return;
  const hint =
    "Give subject and sans with the form in ASCII: xn--... for a host, percent-encoding for a URI.";
  throw invalid(option, text, "an IA5String", hint);
}

function checkAddress(option: string, bytes: readonly number[]): void {
  const areBytes = bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
  if (areBytes && (bytes.length === 4 || bytes.length === 16)) return;
  throw invalid(option, bytes, "an IP address of 4 or 16 bytes", "Write it as [192, 0, 2, 7].");
}

function checkBytes(option: string, value: Buffer): void {
  if (value instanceof Uint8Array) return;
  throw invalid(option, value, "a Buffer", 'Write it as Buffer.from("0500", "hex").');
}

/** Throws unless the value is one element that the libraries write as it is, with definite lengths as DER demands. */
function checkElement(option: string, value: Buffer): void {
  checkBytes(option, value);
  try {
    const element = parseElement(value);
    if (!isIndefinite(element as Encoded) && encode(element).equals(value)) return;
  } catch {
    // The error below names the value.
  }
  const hint = 'Write it as Buffer.from("0500", "hex").';
  throw invalid(option, Buffer.from(value).toString("hex"), "one element in DER", hint);
}

/** What the element of the library, or a part of its value, says of its form. */
interface Encoded {
  readonly lenBlock?: { readonly isIndefiniteForm: boolean };
  readonly valueBlock?: { readonly value?: unknown };
}

function isIndefinite({ lenBlock, valueBlock }: Encoded): boolean {
  if (lenBlock?.isIndefiniteForm) return true;
  const members: unknown = valueBlock?.value;
  return Array.isArray(members) && members.some((member) => isIndefinite(member as Encoded));
}

function checkValidity(days: number, now: Date): void {
  if (isCertificateTime(new Date(now.getTime() + days * 86_400_000))) return;
  throw invalid("validityDays", days, "a number of days that ends from 1950 to 9999");
}

function invalid(option: string, value: unknown, what: string, hint?: string) {
  const shown = typeof value === "number" ? String(value) : JSON.stringify(value);
  return usageError(`${option}: ${shown} is not ${what}`, hint);
}
