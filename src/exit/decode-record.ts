import type { CborTags } from "./cbor-reader.ts";
import { type CborMap, decodeCbor, undecodable, unsignedMember } from "./decode-cbor.ts";
import {
  type AttributeValue,
  type CutBinary,
  type ExitRecord,
  isCut,
  isSecretDigest,
  type RecordCrl,
  type RecordProblem,
  type RecordText,
  type RecordValue,
  type SecretDigest,
} from "./record.ts";
import { RepeatedMember } from "./repeated-member.ts";

/** FILETIME of 9999-12-31T23:59:59.9999999Z; later times have no RFC 3339 form. */
const latestTime = 2_650_467_743_999_999_999n;

class Redacted {
  readonly redacted = true;
}

/** The tags of docs/reference/record-format.md. */
const tags: CborTags = new Map([
  [1129775105, (content: unknown): unknown => ({ utf16: bytesOf(content, "UTF-16 text") })],
  [1129775106, dateOf],
  [1129775107, cutBinary],
  [1129775108, redactedOf],
  [1129775109, secretDigest],
]);

/** The properties of the CA change when it is configured anew, or its certificate is. */
const propertiesOfCa = new RepeatedMember("ca");

/** Decodes the payload of an EVENT frame. Throws only CERTWIRE_RECORD_UNDECODABLE. */
export function decodeRecord(payload: Buffer): ExitRecord {
  const map = decodeCbor(payload, tags, propertiesOfCa);
  const time = BigInt(requiredUnsigned(map, "time"));
  if (time > latestTime) throw undecodable("time is beyond the year 9999");
  return {
    event: smallUnsigned(map, "event"),
    context: contextOf(map.get("context")),
    time,
    processId: smallUnsigned(map, "pid"),
    threadId: smallUnsigned(map, "tid"),
    ca: propertiesOf(map, "ca"),
    request: propertiesOf(map, "request"),
    certificate: propertiesOf(map, "certificate"),
    attributes: listOf(map, "attributes", 2).map(([name, value]) => [
      textOf(name, "attribute name"),
      attributeValueOf(value),
    ]),
    extensions: listOf(map, "extensions", 3).map(([oid, flags, der]) => ({
      oid: textOf(oid, "extension OID"),
      flags: integerOf(flags, "extension flags"),
      der: binaryOf(der, "extension"),
    })),
    crls: listOf(map, "crls", 3, 4).map(crlOf),
    problems: listOf(map, "errors", 2).map(problemOf),
  };
}

function requiredUnsigned(map: CborMap, key: string): number | bigint {
  const value = unsignedMember(map, key);
  if (value === undefined) throw undecodable(`${key} is missing`);
  return value;
}

function smallUnsigned(map: CborMap, key: string): number {
  return integerOf(requiredUnsigned(map, key), key);
}

function contextOf(value: unknown): number {
  return integerOf(value, "context");
}

function integerOf(value: unknown, what: string): number {
  if (typeof value !== "number") throw undecodable(`${what} is not an integer below 2^53`);
  return value;
}

function propertiesOf(map: CborMap, group: string): ReadonlyMap<string, RecordValue> {
  const properties = map.get(group);
  if (properties === undefined) return new Map();
  if (!(properties instanceof Map)) throw undecodable(`${group} is not a map`);
  for (const [name, value] of properties as CborMap) {
    if (typeof name !== "string") throw undecodable(`${group} has a name that is not text`);
    if (!isRecordValue(value)) throw undecodable(`${group}.${name} has a value of an unknown type`);
  }
  return properties as ReadonlyMap<string, RecordValue>;
}

function isRecordValue(value: unknown): value is RecordValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") {
    return true;
  }
  if (Buffer.isBuffer(value)) return true;
  if (typeof value !== "object" || value === null) return false;
  return "utf16" in value || "oleDate" in value || isCut(value) || isSecretDigest(value);
}

/** The arrays under `key`, each checked to have `size` members, or up to `most`; none if the key is absent. */
function listOf(
  map: CborMap,
  key: string,
  size: number,
  most = size,
): readonly (readonly unknown[])[] {
  const list = map.get(key);
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw undecodable(`${key} is not an array`);
  for (const entry of list as readonly unknown[]) {
    if (!Array.isArray(entry) || entry.length < size || entry.length > most) {
      const sizes = most === size ? String(size) : `${size} to ${most}`;
      throw undecodable(`${key} has an entry that is not an array of ${sizes}`);
    }
  }
  return list as readonly (readonly unknown[])[];
}

function textOf(value: unknown, what: string): RecordText {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "utf16" in value) {
    return value as { utf16: Buffer };
  }
  throw undecodable(`${what} is not text`);
}

function attributeValueOf(value: unknown): AttributeValue {
  if (value instanceof Redacted || isCut(value)) return value;
  return textOf(value, "attribute value");
}

function binaryOf(value: unknown, what: string): Buffer | CutBinary {
  if (isCut(value)) return value;
  return bytesOf(value, what);
}

function bytesOf(value: unknown, what: string): Buffer {
  if (!Buffer.isBuffer(value)) throw undecodable(`${what} is not a byte string`);
  return value;
}

function cutBinary(value: unknown): CutBinary {
  if (!Array.isArray(value) || value.length !== 4)
    throw undecodable("cut value is not an array of 4");
  const [length, sha256, first, last] = value as readonly unknown[];
  return {
    length: integerOf(length, "length of a cut value"),
    sha256: bytesOf(sha256, "hash of a cut value"),
    first: bytesOf(first, "start of a cut value"),
    last: bytesOf(last, "end of a cut value"),
  };
}

function secretDigest(value: unknown): SecretDigest {
  if (!Array.isArray(value) || value.length !== 2)
    throw undecodable("digest of a secret is not an array of 2");
  const [length, sha256] = value as readonly unknown[];
  return {
    length: integerOf(length, "length of a secret"),
    sha256: bytesOf(sha256, "hash of a secret"),
  };
}

function dateOf(content: unknown): { oleDate: Buffer } {
  const oleDate = bytesOf(content, "date");
  if (oleDate.length !== 8) throw undecodable("date is not 8 bytes long");
  return { oleDate };
}

function redactedOf(content: unknown): Redacted {
  if (content !== null) throw undecodable("a blanked secret holds a value");
  return new Redacted();
}

function crlOf([index, kind, der, ...rest]: readonly unknown[]): RecordCrl {
  if (kind !== 0 && kind !== 1) throw undecodable("kind of a CRL is not 0 or 1");
  return {
    index: integerOf(index, "index of a CRL"),
    kind: kind === 0 ? "base" : "delta",
    der: binaryOf(der, "CRL"),
    ...(rest.length > 0 && { partition: integerOf(rest[0], "partition of a CRL") }),
  };
}

function problemOf([name, reason]: readonly unknown[]): RecordProblem {
  if (typeof reason !== "string" && typeof reason !== "number") {
    throw undecodable("reason of an error is not a number or a word");
  }
  return { name: textOf(name, "name of an error"), reason };
}
