import { type Digest, digestOf } from "./digest.ts";
import type { CertwireEvent } from "./event.ts";
import { jsonBytes } from "./json-text.ts";
import type { Problem } from "./problems.ts";
import { caProperties, certificateProperties, requestProperties } from "./properties.ts";

type Holder = Record<string, unknown>;

/** A long string in the event's data. */
interface Leaf {
  readonly path: string;
  readonly holder: Holder;
  readonly key: string;
  readonly value: string;
  readonly isBinary: boolean;
  /** Length and hash, where they stand beside the value. */
  readonly digest: Digest | undefined;
  /** What the value takes in JSON. */
  readonly bytes: number;
}

/** A shorter value is not left out: its length and hash would take nearly as much space. In characters. */
const shortestWorthwhile = 512;

/** What a string without a character takes in JSON. */
const emptyBytes = 2;

/** Texts that may be left out: values of the CA. */
const optionalText = /^(request|certificateProperties|ca|attributes|unknownProperties)\./;

/** Members of a problem that stand beside length and hash of the value that they are a part of. */
const ends: ReadonlySet<string> = new Set(["first", "last"]);

const binaryKeys: ReadonlySet<string> = new Set([
  "der",
  "first",
  "last",
  "utf16",
  "octets",
  ...[requestProperties, certificateProperties, caProperties]
    .flatMap((table) => Object.values(table))
    .filter(({ type }) => type === "binary")
    .map(({ key }) => key),
]);

/**
 * Makes an event fit into `maxEventBytes` of JSON. First its largest binary values are left out, then its
 * largest texts; last, whole parts. Each is named in `problems` as `omitted`, a value with length and hash. The
 * smallest result is the envelope with `notify` and `ca`, even if that is larger than `maxEventBytes`.
 *
 * A CRL may have tens of megabytes, so its text is neither copied nor written to find out its size.
 */
export function shrinkEvent(event: CertwireEvent, maxEventBytes: number): CertwireEvent {
  const data = copyOf(event.data) as Holder;
  const smaller = { ...event, data };
  const problems = (data["problems"] ??= []) as Problem[];
  const leaves = takeLeaves(data).toSorted(largestBinaryFirst);
  let bytes = leaves.reduce((sum, leaf) => sum + leaf.bytes - emptyBytes, jsonBytes(smaller));
  for (const leaf of leaves) {
    if (bytes <= maxEventBytes) {
      leaf.holder[leaf.key] = leaf.value;
      continue;
    }
    delete leaf.holder[leaf.key];
    // What the member took: `,"key":value`.
    bytes -= jsonBytes(leaf.key) + leaf.bytes + ",:".length;
    if (ends.has(leaf.key)) continue;
    const problem = { property: leaf.path, reason: "omitted", ...digestOfLeaf(leaf) };
    problems.push(problem);
    bytes += jsonBytes(problem) + 1;
  }
  if (bytes > maxEventBytes) dropParts(smaller, problems, maxEventBytes);
  return smaller;
}

/** A copy of lists and objects that shares their strings. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyOf(inner)]));
}

/** The last resort, for thousands of small values: removes whole parts of the data, the largest first. */
function dropParts(
  event: CertwireEvent & { readonly data: Holder },
  problems: Problem[],
  maxEventBytes: number,
): void {
  const { data } = event;
  const known = problems.length;
  const size = (key: string) => jsonBytes(data[key]);
  const parts = Object.keys(data)
    .filter((key) => key !== "notify" && key !== "ca")
    .toSorted((a, b) => size(b) - size(a));
  for (const key of parts) {
    if (jsonBytes(event) <= maxEventBytes) return;
    // What was redacted stays named, or it would be redacted once more when it is published again.
    if (key === "problems") {
      const kept = problems.splice(0, known).filter(({ reason }) => reason === "redacted");
      problems.unshift(...kept);
    } else delete data[key];
    problems.push({ property: key, reason: "omitted" });
  }
}

/** Takes the long strings out of an object: each is an empty one there now. */
function takeLeaves(holder: Holder, path = "", found: Leaf[] = []): Leaf[] {
  for (const [key, value] of Object.entries(holder)) {
    const place = path === "" ? key : `${path}.${key}`;
    if (typeof value === "string") {
      const isBinary = binaryKeys.has(key) || (key === "value" && holder["type"] === "binary");
      if (value.length < shortestWorthwhile || !(isBinary || optionalText.test(place))) continue;
      const digest = /^crls?\./.test(place) ? digestBeside(holder) : undefined;
      const bytes = leafBytes(value, digest);
      found.push({ path: place, holder, key, value, isBinary, digest, bytes });
      holder[key] = "";
    } else if (typeof value === "object" && value !== null) {
      takeLeaves(value as Holder, place, found);
    }
  }
  return found;
}

/** Length and hash of a CRL, which stand beside its DER. */
function digestBeside({ length, sha256 }: Holder): Digest | undefined {
  if (typeof length !== "number" || typeof sha256 !== "string") return undefined;
  return { length, sha256 };
}

/** What a leaf takes in JSON; a value of the length that base64 has is not read again to find out. */
function leafBytes(value: string, digest: Digest | undefined): number {
  const isBase64 = digest !== undefined && value.length === Math.ceil(digest.length / 3) * 4;
  return isBase64 ? value.length + emptyBytes : jsonBytes(value);
}

function largestBinaryFirst(a: Leaf, b: Leaf): number {
  if (a.isBinary !== b.isBinary) return a.isBinary ? -1 : 1;
  return b.value.length - a.value.length;
}

function digestOfLeaf({ value, isBinary, digest }: Leaf): Digest {
  return digest ?? digestOf(Buffer.from(value, isBinary ? "base64" : "utf8"));
}
