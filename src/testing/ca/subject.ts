import { type DistinguishedName, isNameAttribute } from "../../simulate/distinguished-name.ts";
import { usageError } from "./usage-error.ts";

/**
 * A distinguished name from its text, most specific part first: `CN=www.example.com, O=Example Ltd, C=DE`. A comma in a
 * value is written `\,`, or the value stands in double quotes. Throws CERTWIRE_TESTING_OPTIONS.
 */
export function subjectOf(name: string | DistinguishedName): DistinguishedName {
  if (typeof name !== "string") return name;
  return partsOf(name).map((part) => {
    const at = part.indexOf("=");
    const attribute = part.slice(0, at).trim().toUpperCase();
    if (at < 0 || !isNameAttribute(attribute)) {
      throw usageError(
        `subject: "${part.trim()}" is not an attribute and its value`,
        "Write it as CN=www.example.com, O=Example Ltd, C=DE.",
      );
    }
    return [attribute, valueOf(part.slice(at + 1).trim())];
  });
}

/** The parts between commas that are neither quoted nor escaped. */
function partsOf(name: string): string[] {
  const parts = name.match(/(?:\\.|"(?:\\.|[^"\\])*"|[^,"\\])+/gs) ?? [];
  return parts.filter((part) => part.trim() !== "");
}

function valueOf(text: string): string {
  const inner = /^"(.*)"$/s.exec(text)?.[1] ?? text;
  return inner.replaceAll(/\\(.)/gs, "$1");
}
