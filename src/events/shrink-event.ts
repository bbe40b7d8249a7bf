import type { CertwireEvent } from "./event.ts";
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
}

/** A shorter value is not replaced: its length and hash would take nearly as much space. In characters. */
const shortestWorthwhile = 512;

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
 */
export function shrinkEvent(event: CertwireEvent, maxEventBytes: number): CertwireEvent {
  const data = structuredClone(event.data) as Holder;
  const smaller = { ...event, data };
  const problems = (data["problems"] ??= []) as Problem[];
  let bytes = jsonBytes(smaller);
  for (const leaf of leavesOf(data).toSorted(largestBinaryFirst)) {
    if (bytes <= maxEventBytes) break;
    const before = jsonBytes(leaf.value);
    const replacement = omit(leaf);
    const problem = { property: leaf.path, reason: "omitted" };
    problems.push(problem);
    bytes += jsonBytes(replacement) - before + jsonBytes(problem) + 1;
  }
  if (jsonBytes(smaller) > maxEventBytes) dropParts(smaller, problems, maxEventBytes);
  return smaller;
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

function leavesOf(holder: Holder, path = "", found: Leaf[] = []): Leaf[] {
  for (const [key, value] of Object.entries(holder)) {
    const place = path === "" ? key : `${path}.${key}`;
    if (typeof value === "string") {
      const isBinary = binaryKeys.has(key);
      if (value.length < shortestWorthwhile || !(isBinary || replaceableText.test(place))) continue;
      found.push({ path: place, holder, key, value, isBinary });
    } else if (typeof value === "object" && value !== null) {
      leavesOf(value as Holder, place, found);
    }
  }
  return found;
}

function largestBinaryFirst(a: Leaf, b: Leaf): number {
  if (a.isBinary !== b.isBinary) return a.isBinary ? -1 : 1;
  return b.value.length - a.value.length;
}

/** Replaces a value by length and hash; `first` and `last` of a cut value, which has both, are removed. */
function omit({ holder, key, value, isBinary }: Leaf): OmittedValue | undefined {
  if ("omitted" in holder) {
    delete holder[key];
    return undefined;
  }
  const bytes = Buffer.from(value, isBinary ? "base64" : "utf8");
  const replacement = omitted(bytes);
  holder[key] = replacement;
  return replacement;
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}
