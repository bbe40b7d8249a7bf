import { z } from "zod";
import { eventData } from "../schemas/event-data.ts";

/** What the schemas say of a member of `data`, over all kinds of events. */
export interface Member {
  /** False for a member that its object always has. */
  readonly isOptional: boolean;
  /** `text`: any text, or a list of texts; `binary`: base64; `other`: an object, a number, or a text of a fixed form. */
  readonly form: "text" | "binary" | "other";
  /** Dotted path below `data`, such as `request.requesterName`; a list adds nothing to it. */
  readonly path: string;
  /** The members of an object, or of the objects in a list. */
  readonly children: ReadonlyMap<string, Member>;
}

interface FoundMember extends Member {
  isOptional: boolean;
  form: Member["form"];
  readonly children: Map<string, FoundMember>;
}

interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly contentEncoding?: string;
  readonly [keyword: string]: unknown;
}

/** Keywords that give a text a fixed form. */
const formKeywords = ["enum", "const", "pattern", "format"];

let known: { readonly root: Member; readonly byPath: ReadonlyMap<string, Member> } | undefined;

/** The members of `data` by their paths. */
export function members(): ReadonlyMap<string, Member> {
  known ??= readMembers();
  return known.byPath;
}

/** `data` itself. */
export function rootMember(): Member {
  known ??= readMembers();
  return known.root;
}

/** A member of a member; of one that no schema knows anything may be expected. */
export function childOf({ path, children }: Member, key: string): Member {
  return children.get(key) ?? newMember(pathOf(path, key));
}

function newMember(path: string): FoundMember {
  return { path, isOptional: true, form: "text", children: new Map() };
}

function pathOf(parent: string, key: string): string {
  return parent === "" ? key : `${parent}.${key}`;
}

function readMembers(): NonNullable<typeof known> {
  const [root, byPath] = [newMember(""), new Map<string, Member>()];
  // Most kinds have the same members, and each document takes a while.
  const distinct = new Map(Object.values(eventData).map((schema) => [schema.shape, schema]));
  for (const schema of distinct.values()) {
    const whole = z.toJSONSchema(schema, { io: "input" }) as Schema;
    addMembers(whole, whole.$defs ?? {}, root, byPath);
  }
  return { root, byPath };
}

function addMembers(
  schema: Schema,
  definitions: Readonly<Record<string, Schema>>,
  parent: FoundMember,
  byPath: Map<string, Member>,
): void {
  const { properties = {}, required = [], items } = resolve(schema, definitions);
  if (items) addMembers(items, definitions, parent, byPath);
  for (const [key, inner] of Object.entries(properties)) {
    const form = formOf(inner, definitions);
    const before = parent.children.get(key);
    const member = before ?? { ...newMember(pathOf(parent.path, key)), form };
    if (member.form !== form) member.form = "other";
    if (required.includes(key)) member.isOptional = false;
    parent.children.set(key, member);
    byPath.set(member.path, member);
    addMembers(inner, definitions, member, byPath);
  }
}

function resolve(schema: Schema, definitions: Readonly<Record<string, Schema>>): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return (name === undefined ? undefined : definitions[name]) ?? schema;
}

function formOf(member: Schema, definitions: Readonly<Record<string, Schema>>): Member["form"] {
  const schema = resolve(member, definitions);
  if (schema.items) return formOf(schema.items, definitions);
  if (schema.type !== "string" || formKeywords.some((keyword) => keyword in schema)) return "other";
  return schema.contentEncoding === undefined ? "text" : "binary";
}
