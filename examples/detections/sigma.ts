import type { Rule } from "./rule.ts";

/** The day on which the rules were written; Sigma demands one. */
const date = "2026-11-27";
const definition =
  "Events of Certwire as JSON, unchanged. A rule with a field `facts.` needs the events with their facts, as `main.ts enrich` writes them.";

/** The Sigma rule of a rule, as YAML. Its detection is the same, word by word. */
export function sigmaYaml(rule: Rule): string {
  const { needs = [], forEach } = rule;
  const lists = [...new Set(placeholders(rule))];
  const settings = needs.filter((name) => !lists.includes(name));
  return `${lines({
    title: rule.title,
    id: rule.sigmaId,
    status: "experimental",
    description: [
      rule.description,
      ...(forEach === undefined ? [] : ["One copy for each group that a policy is linked to."]),
      ...(lists.length === 0 ? [] : [`Placeholders: ${lists.join(", ")}.`]),
      ...(settings.length === 0 ? [] : [`Settings of \`enrich\`: ${settings.join(", ")}.`]),
    ].join(" "),
    references: references(rule.tags),
    author: "Certwire",
    date,
    tags: rule.tags,
    logsource: { product: "certwire", service: "events", definition },
    detection: { ...rule.detection.selections, condition: rule.detection.condition },
    falsepositives: rule.falsePositives,
    level: rule.level,
  }).join("\n")}\n`;
}

function placeholders({ detection }: Rule): string[] {
  return [...JSON.stringify(detection).matchAll(/"%(\w+)%"/g)].map(([, name = ""]) => name);
}

function references(tags: readonly string[]): string[] {
  return tags.flatMap((tag) => {
    const [, kind, id = ""] = /^(attack|cve)\.(t?\d.*)$/.exec(tag) ?? [];
    if (kind === "attack") return [`https://attack.mitre.org/techniques/${id.toUpperCase()}/`];
    return kind === "cve" ? [`https://www.cve.org/CVERecord?id=CVE-${id}`] : [];
  });
}

type Yaml = string | number | boolean | null | readonly Yaml[] | { readonly [key: string]: Yaml };

/** YAML in blocks. Text is in double quotes, where YAML reads the escapes of JSON. */
function lines(value: Yaml): string[] {
  if (typeof value !== "object" || value === null) return [JSON.stringify(value)];
  if (isList(value)) {
    return value.flatMap((item) => {
      const [first = "", ...rest] = lines(item);
      return [`- ${first}`, ...rest.map((line) => `  ${line}`)];
    });
  }
  return Object.entries(value).flatMap(([key, member]) => {
    const name = /^\w+$/.test(key) ? key : JSON.stringify(key);
    const own = lines(member);
    if (typeof member !== "object" || member === null) return [`${name}: ${own.join("")}`];
    return [`${name}:`, ...own.map((line) => `  ${line}`)];
  });
}

function isList(value: Yaml): value is readonly Yaml[] {
  return Array.isArray(value);
}
