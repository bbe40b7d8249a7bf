/**
 * Characters that JSON allows in a string but that some reader of lines or terminal acts on: DEL and the C1
 * controls (U+009B begins a terminal command), line and paragraph separator (some readers end a line there),
 * and the marks that reorder text on a screen.
 */
const activeCharacters = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const del = 0x7f;
const everyActiveCharacter = new RegExp(activeCharacters, "g");

/**
 * JSON that is safe to show on a terminal and, unless it is indented, to split into lines anywhere: the same value
 * as `JSON.stringify` writes, with the characters above as `\u` escapes. Throws what `JSON.stringify` throws.
 */
export function jsonText(
  value: object | string,
  replacer?: (key: string, value: unknown) => unknown,
  indent?: number,
): string {
  return escapeActive(JSON.stringify(value, replacer, indent));
}

/** The same JSON with the characters above as `\\u` escapes. */
export function escapeActive(json: string): string {
  return activeCharacters.test(json) ? json.replaceAll(everyActiveCharacter, escaped) : json;
}

/** The same in UTF-8. */
export function escapedBytes(json: string): Buffer {
  const bytes = Buffer.from(json);
  // Of ASCII only DEL is one of them, and one byte is found much faster than a character of many.
  const isAscii = bytes.length === json.length;
  if (isAscii ? !bytes.includes(del) : !activeCharacters.test(json)) return bytes;
  return Buffer.from(escapeActive(json));
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The number of bytes that `jsonText` writes for a value of JSON; 0 for `undefined`, which it leaves out. */
export function jsonBytes(value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value === "string") return textBytes(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value).length;
  const isList = Array.isArray(value);
  let bytes = 2;
  let members = 0;
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined && !isList) continue;
    members += 1;
    bytes += member === undefined ? "null".length : jsonBytes(member);
    if (!isList) bytes += textBytes(key) + 1;
  }
  return bytes + Math.max(members - 1, 0);
}

function textBytes(text: string): number {
  // Most texts, and all of base64, are written as they are.
  if (/^[\w+/=.: -]*$/.test(text)) return text.length + 2;
  return Buffer.byteLength(jsonText(text));
}
