import type { CertwireEvent } from "./event.ts";
import { jsonBytes } from "./json-text.ts";
import type { Problem } from "./problems.ts";
import { caProperties, certificateProperties, requestProperties } from "./properties.ts";
import { type OmittedValue, omitted } from "./property-values.ts";

type Holder = Record<string, unknown>;

/** A long string in the event's data. */
interface Leaf {
  readonly path: string;
  readonly holder: Holder;
  readonly key: string;
  readonly value: string;
  readonly isBinary: boolean;
  /** Length and hash, where they stand beside the value. */
  readonly digest: OmittedValue | undefined;
  /** What the value takes in JSON. */
  readonly bytes: number;
}

/** A shorter value is not replaced: its length and hash would take nearly as much space. In characters. */
const shortestWorthwhile = 512;

/** What a string without a character takes in JSON. */
const emptyBytes = 2;

/** Texts that may be replaced by length and hash, according to the schemas: values of the CA. */
const replaceableText = /^(request|certificateProperties|ca|attributes)\./;

const binaryKeys: ReadonlySet<string> = new Set([
  "der",
  "first",
  "last",
  "base64",
  "utf16",
  "octets",
  "rawRequest",
  ...[requestProperties, certificateProperties, caProperties]
    .flatMap((table) => Object.values(table))
    .filter(({ type }) => type === "binary")
    .map(({ key }) => key),
]);

/**
 * Makes an event fit into `maxEventBytes` of JSON. First its largest binary values become length and hash,
 * then its largest texts; last, whole parts are removed. Each is named in `problems` as `omitted`. The
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
    const replacement = omit(leaf);
    const problem = { property: leaf.path, reason: "omitted" };
    problems.push(problem);
    bytes += jsonBytes(replacement) - leaf.bytes + jsonBytes(problem) + 1;
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
    if (key === "problems") problems.splice(0, known);
    else delete data[key];
    problems.push({ property: key, reason: "omitted" });
  }
}

/** Takes the long strings out of an object: each is an empty one there now. */
function takeLeaves(holder: Holder, path = "", found: Leaf[] = []): Leaf[] {
  for (const [key, value] of Object.entries(holder)) {
    const place = path === "" ? key : `${path}.${key}`;
    if (typeof value === "string") {
      const isBinary = binaryKeys.has(key);
      if (value.length < shortestWorthwhile || !(isBinary || replaceableText.test(place))) continue;
      const digest = digestBeside(holder, key);
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
function digestBeside({ length, sha256 }: Holder, key: string): OmittedValue | undefined {
  if (key !== "der" || typeof length !== "number" || typeof sha256 !== "string") return undefined;
  return { length, sha256, omitted: true };
}

/** What a leaf takes in JSON; a value of the length that base64 has is not read again to find out. */
function leafBytes(value: string, digest: OmittedValue | undefined): number {
  const isBase64 = digest !== undefined && value.length === Math.ceil(digest.length / 3) * 4;
  return isBase64 ? value.length + emptyBytes : jsonBytes(value);
}

function largestBinaryFirst(a: Leaf, b: Leaf): number {
  if (a.isBinary !== b.isBinary) return a.isBinary ? -1 : 1;
  return b.value.length - a.value.length;
}

/** Replaces a value by length and hash; `first` and `last` of a cut value, which has both, are removed. */
function omit({ holder, key, value, isBinary, digest }: Leaf): OmittedValue | undefined {
  if ("omitted" in holder) {
    delete holder[key];
    return undefined;
  }
  const replacement = digest ?? omitted(Buffer.from(value, isBinary ? "base64" : "utf8"));
  holder[key] = replacement;
  return replacement;
}
