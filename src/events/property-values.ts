import { hash } from "node:crypto";
import type { CutBinary, RecordText, RecordValue } from "../exit/record.ts";
import { wellFormed } from "../x509/text.ts";
import type { Problems } from "./problems.ts";
import type { Property } from "./properties.ts";
import { oleDateText } from "./times.ts";
import { requestFormats } from "./words/enumerations.ts";
import { flagWords, requestTypeFlags } from "./words/flags.ts";
import { hresultHex, hresultSymbol } from "./words/hresult.ts";

/** A value that is not in the event: its length in bytes and SHA-256 (lower-case hex). */
export interface OmittedValue {
  readonly length: number;
  readonly sha256: string;
  readonly omitted: true;
  /** Of a value cut at the exit module: its first and last bytes in base64. */
  readonly first?: string;
  readonly last?: string;
}

/** Puts one property into `target`; a value of another type than expected becomes a problem. */
export function putProperty(
  target: Record<string, unknown>,
  property: Property,
  value: RecordValue,
  name: string,
  problems: Problems,
): void {
  if (isCut(value)) {
    target[property.key] = omittedCut(value);
  } else if (!putTyped(target, property, value, name, problems)) {
    const plain = property.type === "digest" ? undefined : plainValue(value, name, problems);
    problems.add(name, "type", { detail: `${property.type} is expected`, value: plain });
  }
}

/** False when the value is not of the property's type. */
function putTyped(
  target: Record<string, unknown>,
  { key, type, words = {}, flags = [] }: Property,
  value: Exclude<RecordValue, CutBinary>,
  name: string,
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
    if (type !== "text") return false;
    target[key] = textValue(value, name, problems);
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
      // Some reasons arrive as unsigned, so -1 and 0xffffffff mean the same.
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

/** Text for JSON; what is no valid UTF-16 is mended with U+FFFD, and a problem keeps the original. */
export function textValue(value: RecordText, name: string, problems: Problems): string {
  if (typeof value === "string") return value;
  problems.add(name, "text", { utf16: value.utf16.toString("base64") });
  return wellFormed(value.utf16.toString("utf16le"));
}

/** A binary in base64, or what is known of one that was cut at the exit module. */
export function binaryValue(value: Buffer | CutBinary): string | OmittedValue {
  return isCut(value) ? omittedCut(value) : value.toString("base64");
}

/** Length and hash in place of a binary. */
export function omitted(value: Buffer): OmittedValue {
  return { length: value.length, sha256: hash("sha256", value), omitted: true };
}

/** True for a value that was cut at the exit module. */
export function isCut(value: unknown): value is CutBinary {
  return typeof value === "object" && value !== null && "sha256" in value && "first" in value;
}

/** What is known of a value that was cut at the exit module. */
export function omittedCut(value: CutBinary): OmittedValue {
  return {
    length: value.length,
    sha256: value.sha256.toString("hex"),
    omitted: true,
    first: value.first.toString("base64"),
    last: value.last.toString("base64"),
  };
}

/** A value of a property that this version does not know, in the form its type suggests. */
export function plainValue(value: RecordValue, name: string, problems: Problems): unknown {
  if (isCut(value)) return omittedCut(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return value;
  if (Buffer.isBuffer(value)) return { base64: value.toString("base64") };
  if (typeof value === "string" || "utf16" in value) return textValue(value, name, problems);
  return oleDateText(value.oleDate) ?? { oleDate: value.oleDate.toString("hex") };
}
