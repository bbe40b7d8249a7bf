// Writes config/schema.json and the tables of docs/reference/configuration.md from the schemas in src/.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configJsonSchema, type JsonSchema, sinkJsonSchema } from "../src/config/json-schema.ts";
import { sinkKinds } from "../src/sinks/registry.ts";

/** The text of config/schema.json. */
export function schemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** The page with its tables generated again between their markers. */
export function withTables(page: string): string {
  return page.replaceAll(
    /(<!-- options: (\S+) -->\n)[^]*?(<!-- end -->)/g,
    (_, start: string, name: string, end: string) => `${start}\n${table(schemaOf(name))}\n${end}`,
  );
}

function schemaOf(name: string): JsonSchema {
  const [section = "", kindName] = name.split(":");
  const kind = sinkKinds.find(({ kind: each }) => each === kindName);
  const schema = kind ? sinkJsonSchema(kind) : configJsonSchema().properties?.[section];
  if (!schema) throw new Error(`no such section: ${name}`);
  return schema;
}

function table(schema: JsonSchema): string {
  const rows = optionRows(schema, "").map((cells) => `| ${cells.join(" | ")} |\n`);
  return `| key | value | default | meaning |\n|---|---|---|---|\n${rows.join("")}`;
}

function optionRows(schema: JsonSchema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, option]) => {
    const isRequired = schema.required?.includes(key) ?? false;
    const nested = option.items ?? option;
    const below = nested.anyOf
      ? []
      : optionRows(nested, `${prefix}${key}${option.items ? "[]" : ""}.`);
    return [
      [`\`${prefix}${key}\``, valueText(option), defaultText(option, isRequired), meaning(option)],
      ...below,
    ];
  });
}

function meaning({ description = "" }: JsonSchema): string {
  return description.replaceAll("|", "\\|");
}

function valueText(option: JsonSchema): string {
  const { type = "text", anyOf, enum: choices, minimum, maximum } = option;
  if (anyOf) return "reference to a secret";
  if (choices) return choices.map((choice) => `\`${choice}\``).join(", ");
  if (type !== "integer" && type !== "number") return type;
  const isOpen = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER;
  return isOpen ? `${type} from ${minimum}` : `${type} ${minimum} to ${maximum}`;
}

function defaultText(option: JsonSchema, isRequired: boolean): string {
  if (option.default === undefined) return isRequired ? "required" : "";
  return `\`${JSON.stringify(option.default)}\``;
}

function writeAll(): void {
  writeFileSync("config/schema.json", schemaText());
  const page = "docs/reference/configuration.md";
  writeFileSync(page, withTables(readFileSync(page, "utf8")));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeAll();
