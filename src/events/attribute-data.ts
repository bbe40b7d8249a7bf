import { type ExitRecord, isCut, type RecordValue } from "../exit/record.ts";
import { haveSameMembers } from "./members-of-lists.ts";
import type { Problems } from "./problems.ts";
import { textValue } from "./property-values.ts";
import { isSecretAttribute, redactedValue } from "./secrets.ts";

type Attributes = ExitRecord["attributes"];

/** The request attributes of an event, in the CA's order. */
export function attributeData({ attributes }: ExitRecord, problems: Problems): object[] {
  return attributes.map(([recordName, value]) => {
    const name = textValue(recordName, "attributes", problems);
    if (isBlanked(value) || isSecretAttribute(recordName)) return { name, redacted: true };
    const place = `attribute.${name}`;
    if (!isCut(value)) return { name, value: textValue(value, place, problems) };
    problems.addCut(place, value);
    return { name };
  });
}

/** True if a text of the CA, one `name:value` in each line, holds these attributes and nothing else. */
export function isListOf(attributes: Attributes, text: RecordValue): boolean {
  if (typeof text !== "string") return false;
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  const own = attributes.map(lineOf).filter((line) => line !== undefined);
  return own.length === attributes.length && haveSameMembers(own, lines);
}

function lineOf([name, value]: Attributes[number]): string | undefined {
  if (typeof name !== "string") return undefined;
  if (isBlanked(value)) return `${name}:${redactedValue}`;
  return typeof value === "string" ? `${name}:${value}` : undefined;
}

function isBlanked(value: Attributes[number][1]): value is { readonly redacted: true } {
  return typeof value === "object" && "redacted" in value;
}
