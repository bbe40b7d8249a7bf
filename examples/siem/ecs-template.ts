import { ecsFields } from "../../src/mappings/ecs.ts";

/** A field of an index: a type, or the fields of an object. */
interface Mapping {
  type?: string;
  ignore_above?: number;
  properties?: Record<string, Mapping>;
}

/** A term may have 32766 bytes, and a character takes up to 4 of them. A longer text would be refused. */
const longestKeyword = 8191;

/** The index template of a data stream for the events in ECS: each field with the type that ECS gives it. */
export function ecsTemplate(): object {
  const root: Mapping = {};
  for (const { field, type } of ecsFields) {
    let place = root;
    for (const name of field.split(".")) {
      place.properties ??= {};
      place = place.properties[name] ??= {};
    }
    place.type = type.replace("[]", "");
    if (place.type === "keyword") place.ignore_above = longestKeyword;
  }
  return {
    index_patterns: ["certwire-ecs*"],
    data_stream: {},
    priority: 200,
    version: 1,
    _meta: { description: "Events of Certwire in the Elastic Common Schema" },
    template: {
      mappings: { properties: root.properties },
    },
  };
}
