import type { Property } from "../properties.ts";

/** The keyword of a member's schema that says in which level of detail a sink gets the member. */
const keyword = "x-detail";

/**
 * Values of the keyword: in both levels; in `full`, and in `standard` where it says something that the rest of the
 * event does not; in `full`, and in `standard` in `ca.started` and `ca.changed`.
 */
const levels = {
  both: "standard",
  difference: "full, standard if different",
  start: "full, standard in ca.started and ca.changed",
} as const;

/** The keyword for a member that is not in every `standard` event. */
export function shownIn(detail: NonNullable<Property["detail"]>): Record<string, string> {
  return { [keyword]: levels[detail] };
}

/** Adds the keyword to every member of a JSON Schema that has none. */
export function withDetail(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withDetail);
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === "properties" ? membersWithDetail(value as object) : withDetail(value),
    ]),
  );
}

function membersWithDetail(members: object): object {
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [
      name,
      { [keyword]: levels.both, ...(withDetail(member) as object) },
    ]),
  );
}
