import { createScanner, type ParseError, parseTree, stripComments } from "jsonc-parser";
import { sinkKinds } from "../sinks/registry.ts";
import { hideSecrets } from "./hide-secrets.ts";
import { configJsonSchema } from "./json-schema.ts";
import { firstTooDeep } from "./nesting.ts";
import { tokenKinds } from "./token-kinds.ts";

/**
 * A configuration to give away, valid or not: without comments, in which people write anything; with the values hidden that
 * may be secrets, as `hideSecrets` does, and those of every key that no schema has; each other text as `map` has it. Where
 * the syntax is wrong, nothing says which key a value belongs to: all but the keys of the schema is hidden.
 */
export function shareableText(text: string, map: (value: string) => string): string {
  const bare = stripComments(text, " ");
  const known = keysOf(configJsonSchema(sinkKinds));
  if (!isParsed(bare)) {
    return mapTokens(
      bare,
      (value) => (known.has(value) ? value : "*".repeat(value.length)),
      allValues,
    );
  }
  const unknown = new Set(stringsOf(bare).filter((key) => !known.has(key)));
  return mapTokens(hideSecrets(bare, unknown), map);
}

function isParsed(text: string): boolean {
  if (firstTooDeep(text) !== undefined) return false;
  const errors: ParseError[] = [];
  parseTree(text, errors, { allowTrailingComma: true });
  return errors.length === 0;
}

/** Every name of a property in a schema. */
function keysOf(schema: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(schema)) for (const each of schema) keysOf(each, found);
  if (typeof schema !== "object" || schema === null) return found;
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "properties") for (const key of Object.keys(Object(value))) found.add(key);
    keysOf(value, found);
  }
  return found;
}

function stringsOf(text: string): string[] {
  const strings: string[] = [];
  mapTokens(text, (value) => {
    strings.push(value);
    return value;
  });
  return strings;
}

const texts: ReadonlySet<number> = new Set([tokenKinds.string, tokenKinds.unknown]);
const allValues: ReadonlySet<number> = new Set([...texts, tokenKinds.number]);

/** The text with each token of these kinds as `map` has it; by default strings, and what is not JSON. */
function mapTokens(text: string, map: (value: string) => string, kinds = texts): string {
  const scanner = createScanner(text, true);
  let mapped = "";
  let end = 0;
  for (let kind: number = scanner.scan(); kind !== tokenKinds.end; kind = scanner.scan()) {
    if (!kinds.has(kind)) continue;
    const offset = scanner.getTokenOffset();
    const literal = text.slice(offset, offset + scanner.getTokenLength());
    const value = kind === tokenKinds.string ? scanner.getTokenValue() : literal;
    const other = map(value);
    const written = kind === tokenKinds.string ? JSON.stringify(other) : other;
    mapped += text.slice(end, offset) + (other === value ? literal : written);
    end = offset + literal.length;
  }
  return mapped + text.slice(end);
}
