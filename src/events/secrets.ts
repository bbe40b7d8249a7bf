import type { RecordText } from "../exit/record.ts";
import { isSecretName } from "../x509/secret-names.ts";
import type { Problems } from "./problems.ts";
import { shownText } from "./shown-text.ts";

/** Stands for a secret in a list of attributes, as the exit module writes it. */
export const redactedValue = "[redacted]";

/** True for the name of an attribute whose value is never published. */
export function isSecretAttribute(name: RecordText): boolean {
  return isSecretName(shownText(name).text);
}

/**
 * The request attributes as text, one `name:value` in each line, without the values of secrets. The exit module
 * blanks some of them; an older one, or one that knows fewer names, leaves the rest.
 */
export function attributeListText(value: RecordText, name: string, problems: Problems): string {
  const { text, utf16 } = shownText(value);
  const redacted = text
    .split(/(?<=[\r\n])/)
    .map(withoutSecret)
    .join("");
  if (redacted !== text) problems.add(name, "withheld", { detail: "a secret was blanked" });
  // The original bytes would show the secret.
  else if (utf16 !== undefined) problems.add(name, "text", { utf16: utf16.toString("base64") });
  return redacted;
}

function withoutSecret(line: string): string {
  const colon = line.indexOf(":");
  if (colon < 0 || !isSecretName(line.slice(0, colon))) return line;
  const [end = ""] = /[\r\n]*$/.exec(line) ?? [];
  const value = line.slice(colon + 1, line.length - end.length);
  return value === redactedValue ? line : `${line.slice(0, colon + 1)}${redactedValue}${end}`;
}
