import { hash } from "node:crypto";
import {
  type CutBinary,
  isCut,
  isSecretDigest,
  type RecordText,
  type RecordValue,
  type SecretDigest,
} from "../exit/record.ts";
import type { Problems } from "./problems.ts";
import type { Property } from "./properties.ts";
import { attributeListText } from "./secrets.ts";
import { shownText } from "./shown-text.ts";
import { oleDateText } from "./times.ts";
import { requestFormats } from "./words/enumerations.ts";
import { flagWords, requestTypeFlags } from "./words/flags.ts";
import { hresultHex, hresultSymbol } from "./words/hresult.ts";

/** Stands in an event for a value that is not published. */
export interface OmittedValue {
  /** Length of the value in bytes. */
  readonly length: number;
  /** SHA-256 of the value, lower-case hex; absent if the exit module had no time to compute it. */
  readonly sha256?: string;
  readonly omitted: true;
  /** First bytes in base64, only of a value that the exit module cut. */
  readonly first?: string;
  /** Last bytes in base64, only of a value that the exit module cut. */
  readonly last?: string;
}

/** A property as the CA returned it. */
export interface ServedProperty<Value = RecordValue> {
  /** Group and name, as problems show it (`request.StatusCode`). */
  readonly name: string;
  readonly value: Value;
}

/** Adds a property to `target` in the form of its type; a value of another type becomes a problem. */
export function putProperty(
  target: Record<string, unknown>,
  property: Property,
  served: ServedProperty,
  problems: Problems,
): void {
  if (isWhole(served)) {
    if (putTyped(target, property, served, problems)) return;
    const { name, value } = served;
    const plain = maybeSecret(property) ? undefined : plainValue(value, name, problems);
    problems.add(name, "type", { detail: `${property.type} is expected`, value: plain });
  } else if (isCut(served.value)) {
    target[property.key] = maybeSecret(property)
      ? digestOf(served.value)
      : omittedCut(served.value);
  } else if (isSecretDigest(served.value)) {
    target[property.key] = digestOf(served.value);
  }
}

/** True if a part of the value, or the value in another form, may show a secret. */
function maybeSecret({ type }: Property): boolean {
  return type === "digest" || type === "attributes";
}

function isWhole(
  served: ServedProperty,
): served is ServedProperty<Exclude<RecordValue, CutBinary | SecretDigest>> {
  return !isCut(served.value) && !isSecretDigest(served.value);
}

/** False if the value is not of the property's type. */
function putTyped(
  target: Record<string, unknown>,
  { key, type, words = {}, flags = [] }: Property,
  { name, value }: ServedProperty<Exclude<RecordValue, CutBinary | SecretDigest>>,
  problems: Problems,
): boolean {
  if (typeof value === "number") {
    return putNumber(target, { key, type, words, flags }, value);
  }
  if (typeof value === "bigint") {
    if (type !== "integer") return false;
    target[key] = value.toString();
  } else if (Buffer.isBuffer(value)) {
    if (type === "binary") target[key] = value.toString("base64");
    else if (type === "digest") target[key] = omitted(value);
    else return false;
  } else if (typeof value === "string" || "utf16" in value) {
    if (type === "attributes") target[key] = attributeListText(value, name, problems);
    else if (type === "text") target[key] = textValue(value, name, problems);
    else return false;
  } else {
    if (type !== "date") return false;
    const date = oleDateText(value.oleDate);
    if (date === undefined) problems.add(name, "range", { detail: value.oleDate.toString("hex") });
    else target[key] = date;
  }
  return true;
}

function putNumber(
  target: Record<string, unknown>,
  { key, type, words, flags }: Required<Property>,
  value: number,
): boolean {
  switch (type) {
    case "integer":
      target[key] = value;
      return true;
    case "hresult": {
      target[key] = hresultHex(value);
      const symbol = hresultSymbol(value);
      if (symbol !== undefined) target[`${key}Symbol`] = symbol;
      return true;
    }
    case "enumeration":
      // Some numbers are recorded as unsigned, so -1 and 0xffffffff mean the same.
      target[key] = words[value] ?? words[value | 0] ?? "unknown";
      target[`${key}Code`] = value;
      return true;
    case "flags":
      target[key] = flagWords(flags, value);
      target[`${key}Code`] = value;
      return true;
    case "requestType":
      target[key] = requestFormat((value >>> 8) & 0xff);
      target[`${key}Flags`] = flagWords(requestTypeFlags, value & ~0xffff);
      target[`${key}Code`] = value;
      return true;
    default:
      return false;
  }
}

function requestFormat(format: number): string {
  return (requestFormats as Readonly<Record<number, string>>)[format] ?? "unknown";
}

/** A text as `shownText` shows it; a problem keeps the original of a replaced one. */
export function textValue(value: RecordText, name: string, problems: Problems): string {
  const { text, utf16 } = shownText(value);
  if (utf16 !== undefined) problems.add(name, "text", { utf16: utf16.toString("base64") });
  return text;
}

/** A binary value in base64, or what is known of one that the exit module cut. */
export function binaryValue(value: Buffer | CutBinary): string | OmittedValue {
  return isCut(value) ? omittedCut(value) : value.toString("base64");
}

/** Length and hash in place of a binary value. */
export function omitted(value: Buffer): OmittedValue {
  return { length: value.length, sha256: hash("sha256", value), omitted: true };
}

/** Length and hash of a value, of one that the exit module cut without its ends, which may hold a secret. */
export function digestOf({ length, sha256 }: SecretDigest): OmittedValue {
  return { length, ...hashOf({ sha256 }), omitted: true };
}

/** The hash that the exit module computed, in hex, if it did. */
export function hashOf({ sha256 }: Pick<SecretDigest, "sha256">): { readonly sha256?: string } {
  return sha256.length === 0 ? {} : { sha256: sha256.toString("hex") };
}

/** What is known of a value that the exit module cut. */
export function omittedCut(value: CutBinary): OmittedValue {
  return {
    ...digestOf(value),
    first: value.first.toString("base64"),
    last: value.last.toString("base64"),
  };
}

/** The value of a property that this version does not know, in the form that its own type suggests. */
export function plainValue(value: RecordValue, name: string, problems: Problems): unknown {
  if (isCut(value)) return omittedCut(value);
  if (isSecretDigest(value)) return digestOf(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return value;
  if (Buffer.isBuffer(value)) return { base64: value.toString("base64") };
  if (typeof value === "string" || "utf16" in value) return textValue(value, name, problems);
  return oleDateText(value.oleDate) ?? { oleDate: value.oleDate.toString("hex") };
}
