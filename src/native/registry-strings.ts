import type { RegistryValue } from "./windows-system.ts";

const regSz = 1;
const regExpandSz = 2;
const regMultiSz = 7;

const typeNames = [
  "REG_NONE",
  "REG_SZ",
  "REG_EXPAND_SZ",
  "REG_BINARY",
  "REG_DWORD",
  "REG_DWORD_BIG_ENDIAN",
  "REG_LINK",
  "REG_MULTI_SZ",
] as const;

/** Name of a type of values. */
export function typeName(type: number): string {
  return typeNames[type] ?? `type ${type}`;
}

/** The text of a REG_SZ or REG_EXPAND_SZ, up to its first zero; `undefined` for another type or half a character. */
export function textOf({ type, data }: RegistryValue): string | undefined {
  if ((type !== regSz && type !== regExpandSz) || data.length % 2 !== 0) return undefined;
  return data.toString("utf16le").split("\0", 1)[0];
}

/**
 * The texts of a REG_MULTI_SZ, or the one of a REG_SZ, none if that is empty. `undefined` for another type, and for a
 * list that holds text beyond its end, which a writer would lose.
 */
export function textsOf(value: RegistryValue): string[] | undefined {
  if (value.type === regSz) {
    const text = textOf(value);
    return text === undefined ? undefined : [text].filter(Boolean);
  }
  if (value.type !== regMultiSz || value.data.length % 2 !== 0) return undefined;
  const texts = value.data.toString("utf16le").replace(/\0+$/, "").split("\0");
  if (texts.length === 1 && texts[0] === "") return [];
  return texts.includes("") ? undefined : texts;
}

/** Texts as a REG_MULTI_SZ. */
export function multiText(texts: readonly string[]): RegistryValue {
  const stored = texts.map((text) => `${text}\0`).join("");
  return { type: regMultiSz, data: Buffer.from(`${stored}\0`, "utf16le") };
}

/** A text with the values of the environment variables that it names as `%NAME%`. */
export function expandVariables(text: string): string {
  return text.replaceAll(/%([^%]+)%/g, (whole, name: string) => process.env[name] ?? whole);
}

/** True if two names of keys, or two ProgIDs, are the same one to Windows, which ignores case. */
export function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
