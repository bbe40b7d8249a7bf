import { createScanner } from "jsonc-parser";
import { tokenKinds as kinds } from "./token-kinds.ts";

const secretKey = /pass?w|pwd|secret|token|credential|private|passphrase|apikey/i;
/** In a reference to a secret these keys say where it is kept. */
const referenceKeys = new Set(["file", "environment"]);
const values = new Set<number>([kinds.string, kinds.number, kinds.unknown]);

interface Token {
  readonly kind: number;
  readonly offset: number;
  readonly text: string;
  readonly value: string;
}

/**
 * Replaces everything that may be a secret with asterisks of the same length: values below keys that sound
 * like secrets, values of unknown keys, and passwords in URLs. Works on invalid JSON too.
 */
export function hideSecrets(text: string, unknownKeys: ReadonlySet<string>): string {
  const tokens = scan(text);
  const path: string[] = [];
  const isHidden = (key: string): boolean => secretKey.test(key) || unknownKeys.has(key);
  let hidden = "";
  let end = 0;
  for (const [index, token] of tokens.entries()) {
    if (opens(token.kind)) path.push("");
    if (closes(token.kind)) path.pop();
    if (!values.has(token.kind)) continue;
    hidden += text.slice(end, token.offset);
    end = token.offset + token.text.length;
    const isKey = tokens[index + 1]?.kind === kinds.colon;
    if (isKey) path[path.length - 1] = token.value;
    const mayShow = isKey || !path.some(isHidden) || referenceKeys.has(path.at(-1) ?? "");
    hidden += mayShow ? hideUrlPassword(token) : token.text.replaceAll(/[^"]/g, "*");
  }
  return hidden + text.slice(end);
}

function scan(text: string): Token[] {
  const scanner = createScanner(text, true);
  const tokens: Token[] = [];
  for (let kind: number = scanner.scan(); kind !== kinds.end; kind = scanner.scan()) {
    const offset = scanner.getTokenOffset();
    const literal = text.slice(offset, offset + scanner.getTokenLength());
    tokens.push({ kind, offset, text: literal, value: scanner.getTokenValue() });
  }
  return tokens;
}

function opens(kind: number): boolean {
  return kind === kinds.openBrace || kind === kinds.openBracket;
}

function closes(kind: number): boolean {
  return kind === kinds.closeBrace || kind === kinds.closeBracket;
}

const urlPassword = /(:\/\/[^/?#@:"]*:)([^"]*)(?=@)/;
const queryPassword = /([?&][^=&"]*(?:pass?w|pwd|secret|token|key)[^=&"]*=)([^&#"]*)/gi;

function hideUrlPassword({ text, value }: Token): string {
  const stars = (_: string, start: string, secret: string): string =>
    start + "*".repeat(secret.length);
  // Escapes hide parts of a URL from these patterns, so none of it is shown.
  if (text.includes("\\") && (urlPassword.test(value) || value.search(queryPassword) >= 0)) {
    return text.replaceAll(/[^"]/g, "*");
  }
  return text.replace(urlPassword, stars).replaceAll(queryPassword, stars);
}
