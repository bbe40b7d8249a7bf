import { type EventKind, eventKinds } from "../src/events/event.ts";
import { ecsFields, ecsKinds } from "../src/mappings/ecs.ts";
import type { Field } from "../src/mappings/field-table.ts";
import { ocsfFields } from "../src/mappings/ocsf.ts";
import { ocsfClasses, ocsfKinds, severities } from "../src/mappings/ocsf-kinds.ts";
import { cimFields, cimKinds } from "../src/mappings/splunk-cim.ts";

/** The page of events with the tables of the mappings generated again between their markers. */
export function withMappingTables(page: string): string {
  return page.replaceAll(
    /(<!-- mapping: (\S+) -->\n)[^]*?(<!-- end -->)/g,
    (_, start: string, name: string, end: string) => `${start}\n${tableOf(name)}\n${end}`,
  );
}

function tableOf(name: string): string {
  const make = tables[name];
  if (make === undefined) throw new Error(`no such table: ${name}`);
  return make();
}

const tables: Readonly<Record<string, () => string>> = {
  kinds: kindTable,
  ecs: () => fieldTable("ECS", ecsFields),
  ocsf: () => fieldTable("OCSF", ocsfFields),
  cim: () => fieldTable("CIM", cimFields),
};

function kindTable(): string {
  const head = [
    "kind",
    "ECS: `event.category`, `.type`, `.outcome`",
    "OCSF: class, activity (severity)",
    "CIM: `action`, `object_category`, `status`",
  ];
  return markdown(
    head,
    eventKinds.map((kind) => [`\`${kind}\``, ecsText(kind), ocsfText(kind), cimText(kind)]),
  );
}

function ecsText(kind: EventKind): string {
  const { category, type, outcome } = ecsKinds[kind];
  return listed([category, type, outcome]);
}

function ocsfText(kind: EventKind): string {
  const { class: name, activity, severity } = ocsfKinds[kind];
  const [id, activityName] = activity;
  return `${ocsfClasses[name].uid}, ${id} ${activityName} (${severities[severity]})`;
}

function cimText(kind: EventKind): string {
  const { action, category, status } = cimKinds[kind];
  return listed([action, category, status]);
}

function listed(parts: readonly (string | undefined)[]): string {
  return parts.map((part) => part ?? "none").join(", ");
}

function fieldTable(vocabulary: string, fields: readonly Field[]): string {
  return markdown(
    [vocabulary, "type", "from", "note"],
    fields.map((field) => [
      `\`${field.field}\``,
      `\`${field.type}\``,
      sourceText(field.from),
      field.note ?? "",
    ]),
  );
}

function sourceText(from: Field["from"]): string {
  if ("says" in from) return from.says;
  if ("value" in from) return `always ${[from.value].flat().join(", ")}`;
  return from.map((path) => `\`${path}\``).join(", else ");
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`.replace(/ +\|/g, " |");
  return `${line(head)}|${"---|".repeat(head.length)}\n${rows.map(line).join("")}`;
}
