import { findNodeAtLocation, type Node } from "jsonc-parser";
import type { z } from "zod";
import { kindOfUrl } from "../sinks/registry.ts";
import type { SinkKind } from "../sinks/sink-kind.ts";
import type { Finding } from "./diagnostics.ts";
import { didYouMean } from "./did-you-mean.ts";
import { configJsonSchema, type JsonSchema, sinkJsonSchema } from "./json-schema.ts";

type Issue = z.core.$ZodIssue;

/** A configuration as it was written, and the kinds of sinks it may name. */
interface Document {
  readonly root: Node;
  readonly kinds: readonly SinkKind[];
}

const typeNames: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "a string",
  boolean: "true or false",
  array: "a list in [ ]",
  object: "an object in { }",
};

/** Turns the issues that the schema raised into findings at places of the file. */
export function findingsOf(document: Document, issues: readonly Issue[]): Finding[] {
  return issues.flatMap((issue) => describe(document, issue));
}

/** A finding at the value of `path`, or at the innermost part of it that exists. */
export function findingAt(
  root: Node,
  path: readonly PropertyKey[],
  message: string,
  hint?: string,
): Finding {
  const node = nodeAt(root, path);
  return { ...extent(node), path, message, hint };
}

function describe(document: Document, issue: Issue): Finding[] {
  const { root } = document;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(document, issue.path, key));
  }
  if (isMissing(root, issue)) return [missingKey(document, issue.path)];
  const { message, hint } = textOf(document, issue);
  return [findingAt(root, issue.path, message, hint)];
}

function unknownKey(document: Document, path: readonly PropertyKey[], key: string): Finding {
  const { root } = document;
  const known = knownKeys(document, path);
  const near = didYouMean(key, known);
  const property = nodeAt(root, path).children?.find(
    ({ children }) => children?.[0]?.value === key,
  );
  return {
    ...extent(property?.children?.[0] ?? nodeAt(root, path)),
    path,
    message: `unknown key "${key}"`,
    hint: near === undefined ? `Known keys: ${known.join(", ")}.` : `Did you mean "${near}"?`,
    unknownKey: key,
  };
}

function isMissing(root: Node, issue: Issue): boolean {
  return issue.path.length > 0 && findNode(root, issue.path) === undefined;
}

function missingKey(document: Document, path: readonly PropertyKey[]): Finding {
  const parent = nodeAt(document.root, path.slice(0, -1));
  const schema = schemaAt(document, path);
  const hint = schema?.description;
  return {
    offset: parent.offset,
    length: 1,
    path: path.slice(0, -1),
    message: `"${String(path.at(-1))}" is missing`,
    hint,
  };
}

function textOf(document: Document, issue: Issue): { message: string; hint?: string | undefined } {
  const { root } = document;
  switch (issue.code) {
    case "invalid_type":
      return { message: `must be ${typeNames[issue.expected] ?? issue.expected}` };
    case "invalid_value":
      return choices(nodeAt(root, issue.path).value, issue.values);
    case "too_small":
      return { message: lowerBound(issue.origin, issue.minimum) };
    case "too_big":
      return { message: upperBound(issue.origin, issue.maximum) };
    case "invalid_union":
      return wrongReference(nodeAt(root, issue.path));
    case "custom":
      return { message: issue.message, hint: issue.params?.["hint"] as string | undefined };
    default:
      return { message: issue.message, hint: schemaAt(document, issue.path)?.description };
  }
}

function choices(value: unknown, allowed: readonly unknown[]) {
  const words = allowed.map(String);
  const near = typeof value === "string" ? didYouMean(value, words) : undefined;
  const list = words.map((word) => `"${word}"`).join(", ");
  return {
    message: words.length === 1 ? `must be ${list}` : `must be one of ${list}`,
    hint: near && `Did you mean "${near}"?`,
  };
}

function lowerBound(origin: string, minimum: number | bigint): string {
  if (origin === "array") return "needs at least one entry";
  return origin === "string" ? "must not be empty" : `must be at least ${minimum}`;
}

function upperBound(origin: string, maximum: number | bigint): string {
  const unit = origin === "string" ? " characters long" : "";
  return `must be at most ${maximum}${unit}`;
}

/** The only unions of the schema are references to secrets. */
function wrongReference(node: Node) {
  const forms = '{ "file": "path" } or { "environment": "NAME" }';
  return node.type === "string"
    ? { message: "must be a reference, not the secret itself", hint: `Write ${forms}.` }
    : { message: `must be a reference to a secret: ${forms}` };
}

function findNode(root: Node, path: readonly PropertyKey[]): Node | undefined {
  return findNodeAtLocation(
    root,
    path.filter((part) => typeof part !== "symbol"),
  );
}

function nodeAt(root: Node, path: readonly PropertyKey[]): Node {
  for (let length = path.length; length > 0; length -= 1) {
    const node = findNode(root, path.slice(0, length));
    if (node) return node;
  }
  return root;
}

/** Only the first character of an object or list is marked. */
function extent(node: Node): { offset: number; length: number } {
  const isContainer = node.type === "object" || node.type === "array";
  return { offset: node.offset, length: isContainer ? 1 : node.length };
}

function knownKeys(document: Document, path: readonly PropertyKey[]): string[] {
  const schema = schemaAt(document, path);
  const branches = schema?.anyOf ?? (schema ? [schema] : []);
  return branches.flatMap(({ properties }) => Object.keys(properties ?? {}));
}

function schemaAt({ root, kinds }: Document, path: readonly PropertyKey[]): JsonSchema | undefined {
  let schema: JsonSchema | undefined = configJsonSchema(kinds);
  for (const [depth, part] of path.entries()) {
    if (depth === 1 && path[0] === "sinks") {
      const kind = kindOfUrl(findNode(root, [...path.slice(0, 2), "url"])?.value, kinds);
      schema = kind && sinkJsonSchema(kind);
    } else {
      schema = typeof part === "number" ? schema?.items : schema?.properties?.[String(part)];
    }
  }
  return schema;
}
