/** An attribute of a distinguished name in text form. */
export interface NameAttribute {
  /** Short name of the type as `src/x509/name.ts` writes it (`CN`), or the dotted OID. */
  readonly type: string;
  /** The value without quotes and escapes. */
  readonly value: string;
}

/** Other names of types, in CertNameToStr of Windows and elsewhere. */
const sameTypes: ReadonlyMap<string, string> = new Map([
  ["S", "ST"],
  ["EMAIL", "E"],
  ["EMAILADDRESS", "E"],
  ["GN", "G"],
  ["GIVENNAME", "G"],
  ["INITIALS", "I"],
  ["SURNAME", "SN"],
  ["TITLE", "T"],
]);

/**
 * The attributes of a distinguished name in text form, in their order: of RFC 4514, and of CertNameToStr, which
 * quotes values and doubles the quotes in them. `undefined` if the text is neither, or has a value in hex.
 */
export function nameAttributes(text: string): NameAttribute[] | undefined {
  const attributes: NameAttribute[] = [];
  for (const part of partsOf(text)) {
    const found = /^\s*(?:OID\.)?([A-Za-z0-9.-]+)\s*=\s*([^]*)$/i.exec(part);
    const [, name = "", written = ""] = found ?? [];
    if (found === null || written.startsWith("#")) return undefined;
    const type = name.toUpperCase();
    attributes.push({ type: sameTypes.get(type) ?? type, value: plainValue(written) });
  }
  return attributes;
}

/** The text between the separators, which are neither quoted nor escaped. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  let isQuoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "\\") at += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && separators.has(character)) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.filter((part) => part.trim() !== "");
}

const separators: ReadonlySet<string> = new Set([",", ";", "+", "\r", "\n"]);

function plainValue(written: string): string {
  if (/^[\w.@*/:()-]*$/.test(written)) return written;
  const trimmed = written.endsWith("\\ ") ? written : written.trimEnd();
  const quoted = /^"([^]*)"$/.exec(trimmed)?.[1];
  if (quoted !== undefined) return quoted.replaceAll('""', '"').replaceAll(/\\(.)/g, "$1");
  return trimmed.replaceAll(/\\(00|.)/g, (_, escaped: string) =>
    escaped === "00" ? "\0" : escaped,
  );
}
