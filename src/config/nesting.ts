import { createScanner } from "jsonc-parser";
import { tokenKinds } from "./token-kinds.ts";

/** Levels that a configuration may have; the schema needs fewer than ten. */
export const maxNesting = 32;

/** Offset of the first bracket that is nested too deeply; the parser itself has no limit but the stack. */
export function firstTooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (let kind: number = scanner.scan(); kind !== tokenKinds.end; kind = scanner.scan()) {
    if (kind === tokenKinds.openBrace || kind === tokenKinds.openBracket) depth += 1;
    if (kind === tokenKinds.closeBrace || kind === tokenKinds.closeBracket) depth -= 1;
    if (depth > maxNesting) return scanner.getTokenOffset();
  }
  return undefined;
}
