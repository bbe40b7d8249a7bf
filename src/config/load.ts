import { dirname, resolve } from "node:path";
import {
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { CertwireError } from "../errors/certwire-error.ts";
import { readTextFile, textFileProblem } from "../files/text-file.ts";
import { sinkKinds } from "../sinks/registry.ts";
import type { SecretReference } from "../sinks/secret-reference.ts";
import type { SinkKind } from "../sinks/sink-kind.ts";
import { mebibyte } from "../units.ts";
import { ConfigError } from "./config-error.ts";
import { type Finding, toDiagnostics } from "./diagnostics.ts";
import { findingAt, findingsOf } from "./findings.ts";
import { type HttpOptions, resolveHttp } from "./http-options.ts";
import { firstTooDeep, maxNesting } from "./nesting.ts";
import { type ReconcileOptions, resolveReconcile } from "./reconcile-options.ts";
import { leastKeyLength, redactionOf } from "./redact-options.ts";
import { type Config, configSchema } from "./schema.ts";
import { readSecret } from "./secrets.ts";
import { resolveSink, type SinkConfiguration, type SinkEntry } from "./sink-entry.ts";

/** A configuration with absolute paths, whose secrets could be read. */
export interface ResolvedConfig extends Omit<Config, "sinks" | "http" | "reconcile" | "$schema"> {
  /** Absent if nothing listens. */
  readonly http?: HttpOptions;
  /** Absent if nothing is compared on a schedule. */
  readonly reconcile?: ReconcileOptions;
  /** Every sink of the file; those that are not needed have empty secrets. */
  readonly sinks: readonly SinkConfiguration[];
}

/** A larger file is not a configuration file. */
const maxBytes = mebibyte;

/** How a configuration is read. */
export interface LoadOptions {
  /** Sinks whose secrets are read. Default: the enabled ones. */
  readonly isNeeded?: (sink: SinkEntry["values"]) => boolean;
  /** The kinds of sinks. Default: those of the registry. */
  readonly kinds?: readonly SinkKind[];
}

/**
 * Reads and checks a configuration file. Throws a ConfigError that lists every problem, or a CertwireError when
 * the file cannot be read.
 */
export function loadConfig(file: string, options: LoadOptions = {}): ResolvedConfig {
  return parseConfig(file, readConfigText(file), options);
}

/** Like `loadConfig`, for a text that has been read already; `file` names it in messages. */
export function parseConfig(file: string, text: string, options: LoadOptions = {}): ResolvedConfig {
  const root = parseText(file, text);
  const kinds = options.kinds ?? sinkKinds;
  const parsed = configSchema(kinds).safeParse(getNodeValue(root));
  const findings = [
    ...duplicateKeys(root, []),
    ...duplicateNames(root),
    ...sharedFiles(root),
    ...(parsed.success ? [] : findingsOf({ root, kinds }, parsed.error.issues)),
  ];
  const baseDirectory = dirname(resolve(file));
  if (!parsed.success) throw fail(file, text, findings);
  const sinks = parsed.data.sinks.map((entry, index) => {
    const { sink, problems } = resolveEntry(root, entry, index, baseDirectory, options);
    findings.push(...problems);
    return sink;
  });
  const { journal, state, events, log, health, http, reconcile } = parsed.data;
  // Whoever needs the secrets of some sinks only does not serve the endpoint.
  if (options.isNeeded === undefined) {
    findings.push(...secretProblems(root, http, ["http"], baseDirectory));
  }
  if (findings.length === 0) findings.push(...sharedDestinations(root, sinks));
  if (findings.length > 0) throw fail(file, text, findings);
  return {
    journal: { ...journal, directory: resolve(baseDirectory, journal.directory) },
    state: { ...state, directory: resolve(baseDirectory, state.directory) },
    events,
    log,
    health,
    ...(http && { http: resolveHttp(http, baseDirectory) }),
    ...(reconcile && { reconcile: resolveReconcile(reconcile) }),
    sinks,
  };
}

/** The text of a configuration file: UTF-8, or UTF-16 with a byte order mark. Throws a CertwireError. */
export function readConfigText(file: string): string {
  try {
    return readTextFile(file, maxBytes);
  } catch (error) {
    const problem = textFileProblem(error);
    const hint = problem.isContent
      ? "Save it as UTF-8, for example with an editor."
      : "Name the configuration file with --config FILE.";
    throw new CertwireError("CERTWIRE_CONFIG_INVALID", `${file} ${problem.message}`, { hint });
  }
}

function parseText(file: string, text: string): Node {
  if (text.trim() === "") {
    throw fail(file, text, [{ offset: 0, length: 1, path: [], message: "the file is empty" }]);
  }
  const errors: ParseError[] = [];
  const deep = firstTooDeep(text);
  if (deep !== undefined) {
    const message = `nested more than ${maxNesting} levels deep`;
    throw fail(file, text, [{ offset: deep, length: 1, path: [], message }]);
  }
  const root = parseTree(text, errors, { allowTrailingComma: true });
  // Several errors at one place have one cause, which the first one names.
  const firsts = errors.filter(({ offset }, index) => errors[index - 1]?.offset !== offset);
  if (root && firsts.length === 0) return root;
  throw fail(
    file,
    text,
    firsts.map((error) => syntaxFinding(text, error)),
  );
}

function syntaxFinding(text: string, { error, offset, length }: ParseError): Finding {
  const words = printParseErrorCode(error).replaceAll(
    /(?<!^)[A-Z]/g,
    (letter) => ` ${letter.toLowerCase()}`,
  );
  const isPath = /\\[^"\\/bfnrtu]/.test(text.slice(offset, offset + length));
  return {
    offset,
    length,
    path: [],
    message: `not JSON: ${words.toLowerCase()}`,
    hint: isPath ? String.raw`Write each backslash as \\, in Windows paths too.` : undefined,
  };
}

function fail(file: string, text: string, findings: Finding[]): ConfigError {
  return new ConfigError(toDiagnostics(file, text, findings));
}

function duplicateKeys(node: Node, path: readonly (string | number)[]): Finding[] {
  if (node.type === "array") {
    return (node.children ?? []).flatMap((item, index) => duplicateKeys(item, [...path, index]));
  }
  const seen = new Set<string>();
  return (node.type === "object" ? (node.children ?? []) : []).flatMap(({ children = [] }) => {
    const [key, value] = children;
    if (!key || !value) return [];
    const name = String(key.value);
    const isTwice = seen.has(name);
    seen.add(name);
    const twice = {
      offset: key.offset,
      length: key.length,
      path,
      message: `"${name}" occurs twice`,
    };
    return [...(isTwice ? [twice] : []), ...duplicateKeys(value, [...path, name])];
  });
}

/** What each entry of `sinks` has as its name. */
function sinkNames(root: Node): readonly unknown[] {
  const { sinks } = Object(getNodeValue(root)) as { sinks?: unknown };
  if (!Array.isArray(sinks)) return [];
  return sinks.map((sink: unknown) => (Object(sink) as { name?: unknown }).name);
}

/** Two sinks of which one would write the files that hold what another one does besides live events. */
function sharedFiles(root: Node): Finding[] {
  const names = sinkNames(root);
  return names.flatMap((name, index) => {
    const [, work, other] = /^(reconcile|backfill|replay)-(.+)$/.exec(String(name)) ?? [];
    if (work === undefined || !names.includes(other)) return [];
    const message = `is the name of the dead letters of ${work} to sink "${other}"`;
    const hint = `Give it a name that is not "${work}-" with the name of another sink.`;
    return [findingAt(root, ["sinks", index, "name"], message, hint)];
  });
}

function duplicateNames(root: Node): Finding[] {
  const names = sinkNames(root);
  return names.flatMap((name, index) =>
    typeof name === "string" && names.indexOf(name) < index
      ? findingAt(
          root,
          ["sinks", index, "name"],
          `sink "${name}" occurs twice`,
          "Give each sink its own name: its checkpoint is stored under it.",
        )
      : [],
  );
}

/** Of two enabled sinks with one exclusive destination the second would wait for ever. */
function sharedDestinations(root: Node, sinks: readonly SinkConfiguration[]): Finding[] {
  const owners = new Map<string, string>();
  return sinks.flatMap(({ options, destination, isExclusive }, index) => {
    if (!options.enabled || !isExclusive) return [];
    const place = process.platform === "win32" ? destination.toLowerCase() : destination;
    const owner = owners.get(place);
    owners.set(place, owner ?? options.name);
    if (owner === undefined) return [];
    const message = `sink "${owner}" writes to the same place`;
    return [findingAt(root, ["sinks", index, "url"], message, "Give each sink its own directory.")];
  });
}

function resolveEntry(
  root: Node,
  entry: SinkEntry,
  index: number,
  baseDirectory: string,
  { isNeeded = ({ enabled }) => enabled }: LoadOptions,
) {
  const problems: Finding[] = [];
  const isUsed = isNeeded(entry.values);
  const context = {
    baseDirectory,
    secret: (reference: SecretReference) => (isUsed ? readSecret(reference, baseDirectory) : ""),
  };
  if (isUsed) problems.push(...secretProblems(root, entry.values, ["sinks", index], baseDirectory));
  if (isUsed && problems.length === 0) problems.push(...weakKey(root, entry, index, baseDirectory));
  const sink = problems.length === 0 ? resolveSink(entry, context) : undefined;
  return { sink: sink as SinkConfiguration, problems };
}

function weakKey(
  root: Node,
  { values }: SinkEntry,
  index: number,
  baseDirectory: string,
): Finding[] {
  const reference = redactionOf(values)?.hashSecret;
  if (!reference || readSecret(reference, baseDirectory).length >= leastKeyLength) return [];
  const message = `has fewer than ${leastKeyLength} characters`;
  const hint = "Make one, for example with `openssl rand -hex 32`.";
  return [findingAt(root, ["sinks", index, "redact", "hashSecret"], message, hint)];
}

/** Tries every reference to a secret, so that each one that fails is reported at its place. */
function secretProblems(
  root: Node,
  value: unknown,
  path: readonly (string | number)[],
  baseDirectory: string,
): Finding[] {
  if (typeof value !== "object" || value === null) return [];
  if (!isReference(value)) {
    return Object.entries(value).flatMap(([key, inner]) =>
      secretProblems(root, inner, [...path, key], baseDirectory),
    );
  }
  try {
    readSecret(value, baseDirectory);
    return [];
  } catch (error) {
    if (!(error instanceof CertwireError)) throw error;
    const [key = ""] = Object.keys(value);
    return [findingAt(root, [...path, key], error.message, error.hint)];
  }
}

function isReference(value: object): value is SecretReference {
  const keys = Object.keys(value);
  return keys.length === 1 && /^(file|environment)$/.test(keys[0] ?? "");
}
