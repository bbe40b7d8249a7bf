import {
  type CutBinary,
  isCut,
  isSecretDigest,
  type RecordText,
  type RecordValue,
  type SecretDigest,
} from "../exit/record.ts";
import { digestOf } from "./digest.ts";
import type { Problems, TypedText } from "./problems.ts";
import type { Property } from "./properties.ts";
import { attributeListText } from "./secrets.ts";
import { shownText } from "./shown-text.ts";
import { oleDateText } from "./times.ts";
import { type Enumeration, requestFormats } from "./words/enumerations.ts";
import { type Flags, flagWords, requestTypeFlags } from "./words/flags.ts";
import { hresultHex, hresultSymbol } from "./words/hresult.ts";

/** A property as the CA returned it. */
export interface ServedProperty<Value = RecordValue> {
  /** Group and name, as problems show it (`request.StatusCode`). */
  readonly name: string;
  readonly value: Value;
}

type WholeValue = Exclude<RecordValue, CutBinary | SecretDigest>;

/** Adds a property to `target` in the form of its type; a value of another type becomes a problem. */
export function putProperty(
  target: Record<string, unknown>,
  property: Property,
  { name, value }: ServedProperty,
  problems: Problems,
): void {
  if (isPart(value)) {
    if (property.type === "digest") target[property.key] = digestOf(value);
    else putPart(name, value, !maybeSecret(property), problems);
    return;
  }
  if (putTyped(target, property, { name, value }, problems)) return;
  const shown = maybeSecret(property) ? {} : typedText(value, name, problems);
  problems.add(name, "type", { detail: `${property.type} is expected`, ...shown });
}

function isPart(value: RecordValue): value is CutBinary | SecretDigest {
  return isCut(value) || isSecretDigest(value);
}

/** Names a value that is not in the record as a whole. */
function putPart(
  name: string,
  value: CutBinary | SecretDigest,
  mayShowEnds: boolean,
  problems: Problems,
): void {
  if (isCut(value)) problems.addCut(name, value, mayShowEnds);
  else problems.add(name, "withheld", digestOf(value));
}

/** True if a part of the value, or the value in another form, may show a secret. */
function maybeSecret({ type }: Property): boolean {
  return type === "digest" || type === "attributes";
}

/** False if the value is not of the property's type. */
function putTyped(
  target: Record<string, unknown>,
  property: Property,
  { name, value }: ServedProperty<WholeValue>,
  problems: Problems,
): boolean {
  if (typeof value === "number") return putNumber(target, property, value);
  const { key, type } = property;
  if (typeof value === "bigint") {
    if (type !== "integer") return false;
    problems.add(name, "range", { type: "integer", value: value.toString() });
  } else if (Buffer.isBuffer(value)) {
    if (type === "binary") target[key] = value.toString("base64");
    else if (type === "digest") target[key] = digestOf(value);
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

const noWords: Enumeration = {};
const noFlags: Flags = [];

function putNumber(
  target: Record<string, unknown>,
  { key, type, words = noWords, flags = noFlags }: Property,
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

/** The text of a binary value; `undefined` for one that the exit module cut, which is named in the problems. */
export function binaryText(
  value: Buffer | CutBinary,
  name: string,
  problems: Problems,
): string | undefined {
  if (!isCut(value)) return value.toString("base64");
  problems.addCut(name, value);
  return undefined;
}

/**
 * The value of a property that this version does not know; `undefined` for one that is not in the record as a
 * whole, which is named in the problems.
 */
export function unknownValue(
  value: RecordValue,
  name: string,
  problems: Problems,
): TypedText | undefined {
  if (!isPart(value)) return typedText(value, name, problems);
  putPart(name, value, true, problems);
  return undefined;
}

/** A value with its own type; a date outside of the years 100 to 9999 is the 8 bytes that it has in the record. */
function typedText(value: WholeValue, name: string, problems: Problems): TypedText {
  if (typeof value === "bigint" || typeof value === "number") {
    return { type: "integer", value: value.toString() };
  }
  if (Buffer.isBuffer(value)) return { type: "binary", value: value.toString("base64") };
  if (typeof value === "string" || "utf16" in value) {
    return { type: "text", value: textValue(value, name, problems) };
  }
  const date = oleDateText(value.oleDate);
  return date === undefined
    ? { type: "binary", value: value.oleDate.toString("base64") }
    : { type: "date", value: date };
}
