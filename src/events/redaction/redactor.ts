import { createHmac } from "node:crypto";
import type { CertwireEvent } from "../event.ts";
import type { Problem } from "../problems.ts";
import { redactedValue } from "../secrets.ts";
import { childOf, type Member, members, rootMember } from "./members.ts";
import { Needles } from "./needles.ts";
import { identifyingKeys, isAccount, repetitionsOf } from "./repetitions.ts";

/** What a sink's events do not show. Paths are those of `members`. */
export interface RedactionOptions {
  /** Members that are left out. */
  readonly remove: readonly string[];
  /** Texts that are replaced by a keyed hash. */
  readonly hash: readonly string[];
  /** Key of the hashes; without it nothing can be hashed. */
  readonly key: string;
}

type Mode = "remove" | "hash";
type Holder = Record<string, unknown>;

/** The reason of the problems that name what was redacted. */
const reason = "redacted";

/** Members of a problem that hold a part or another form of a value. */
const rawMembers = ["utf16", "octets", "first", "last", "value", "sha256"];

/** Attributes that hold nothing of a record but ids, times and its hash. */
const plainAttributes: ReadonlySet<string> = new Set([
  "specversion",
  "id",
  "source",
  "type",
  "time",
  "datacontenttype",
  "dataschema",
  "sequence",
  "partitionkey",
  "recordedtime",
  "previoushash",
  "recordhash",
  "contentid",
  "origin",
  "timebasis",
  "data",
]);

/** Ids of a CA, which the attributes of the event repeat. */
const ids: ReadonlySet<string> = new Set(["ca.id", "previous.id"]);

/** Binary values that are about the CA alone. */
const ofCa = /^(ca\.|crls?\.|request\.rawCaCertificate$)/;
const redactsCa = /^(ca\.(?!userDn$)|crls?\b|certificate\.issuer\b)/;

/** Members that hold a distinguished name as text. */
const nameText = /\b(distinguishedName|directoryName|userDn)$/;

/** A value in hex in a distinguished name: a binary copy. */
const hexValue = /(?<==)#[0-9a-f]+/gi;

/** What the problem of a redacted member says was done to it. */
const details = { remove: "removed", hash: "HMAC-SHA-256", part: "replaced in part" } as const;

/** HMAC-SHA-256 of a text in lower case, as Windows compares names, and in NFC: 64 lower-case hex digits. */
export function keyedHash(key: string, text: string): string {
  if (key === "") throw new TypeError("no key for the hashes of redacted values");
  return createHmac("sha256", key).update(text.normalize("NFC").toLowerCase()).digest("hex");
}

/**
 * Takes out of the events of a sink what the sink must not show: the members that its options name, those that stand
 * for the same, copies in binary form, and the same value wherever another text repeats it. Each member that differs
 * from the record is named in `problems` as `redacted`, without length and hash, from which a name could be guessed. What
 * was hashed or removed already is not hashed once more, so that a dead letter can be published again.
 */
export class Redactor {
  readonly #modes: Map<string, Mode>;
  readonly #key: string;
  readonly #dropsCa: boolean;

  constructor({ remove, hash, key }: RedactionOptions) {
    this.#key = key;
    const named: (readonly [string, Mode])[] = [
      ...remove.map((path) => [path, "remove"] as const),
      ...hash.map((path) => [path, "hash"] as const),
    ];
    this.#modes = new Map(named);
    for (const [path, mode] of named) {
      for (const other of repetitionsOf(path)) {
        if (!this.#modes.has(other)) this.#modes.set(other, this.#modeOf(other, mode));
      }
    }
    this.#dropsCa = [...this.#modes.keys()].some((path) => redactsCa.test(path));
  }

  /** What is not text in any form can only be removed. */
  #modeOf(path: string, mode: Mode): Mode {
    return members().get(path)?.form === "text" ? mode : "remove";
  }

  /** The event as the sink gets it. */
  redact(event: CertwireEvent): CertwireEvent {
    return new Redaction(this.#modes, this.#key, this.#dropsCa).run(event);
  }
}

/** The redaction of one event. */
class Redaction {
  readonly #modes: ReadonlyMap<string, Mode>;
  readonly #key: string;
  readonly #dropsCa: boolean;
  readonly #needles = new Needles();
  /** What was done, by the path of the member. */
  readonly #done = new Map<string, string>();
  /** What was done before. */
  #before: ReadonlyMap<string, string | undefined> = new Map();

  constructor(modes: ReadonlyMap<string, Mode>, key: string, dropsCa: boolean) {
    this.#modes = modes;
    this.#key = key;
    this.#dropsCa = dropsCa;
  }

  run(event: CertwireEvent): CertwireEvent {
    const problems = problemsOf(event);
    this.#before = new Map(
      problems.filter(isRedaction).map(({ property, detail }) => [property, detail]),
    );
    const root = rootMember();
    const data = this.#take({ ...event.data, problems: problems.map(withoutRaw) }, root) as Holder;
    const clean = this.#clean(data, root) as Holder;
    const attributes = Object.entries(event).map(([name, value]) => [
      name,
      typeof value === "string" && !plainAttributes.has(name)
        ? this.#needles.replacedIn(value)
        : value,
    ]);
    return {
      ...Object.fromEntries(attributes),
      data: { ...clean, problems: this.#problemsWith(clean["problems"] as Problem[]) },
    };
  }

  /** The problems and what was done; of a member that was redacted before, what was done last. */
  #problemsWith(problems: readonly Problem[]): Problem[] {
    const added = [...this.#done]
      .filter(([property, detail]) => this.#before.get(property) !== detail)
      .map(([property, detail]) => ({ property, reason, detail }));
    const replaced = new Set(added.map(({ property }) => property));
    const kept = problems.filter((each) => !(isRedaction(each) && replaced.has(each.property)));
    return [...kept, ...added];
  }

  /** A copy without what is redacted; its values become needles. */
  #take(value: unknown, member: Member): unknown {
    if (Array.isArray(value)) return value.map((each) => this.#take(each, member));
    if (typeof value !== "object" || value === null) return value;
    const copy: Holder = {};
    for (const [key, inner] of Object.entries(value)) {
      const child = childOf(member, key);
      const { path, isOptional } = child;
      const mode = this.#modeNow(path);
      if (mode === undefined) {
        if (this.#isKept(value as Holder, key, child)) copy[key] = this.#take(inner, child);
        else this.#done.set(path, details.remove);
        continue;
      }
      this.#addNeedles(inner, child, mode, true);
      const shown = this.#shown(inner, mode, isOptional);
      if (shown !== undefined) copy[key] = shown;
      this.#done.set(path, details[mode]);
    }
    return copy;
  }

  /** What is to be done to a member: nothing where a hash, or what stands for nothing, would be hashed. */
  #modeNow(path: string): Mode | undefined {
    const mode = this.#modes.get(path);
    const before = this.#before.get(path);
    const isDone = before === details.hash || before === details.remove;
    return mode === "hash" && isDone ? undefined : mode;
  }

  /** False for a binary copy, in which a redacted value could be read. */
  #isKept(holder: Holder, key: string, { form, path }: Member): boolean {
    const isBinary =
      form === "binary" || key === "der" || (key === "value" && holder["type"] === "binary");
    return !isBinary || (!this.#dropsCa && ofCa.test(path));
  }

  /** What stands for a redacted member; nothing for one that is left out. */
  #shown(value: unknown, mode: Mode, isOptional: boolean): unknown {
    if (mode === "remove") return isOptional ? undefined : redactedValue;
    if (Array.isArray(value)) return value.map((each) => this.#replacement(String(each), mode));
    return this.#replacement(String(value), mode);
  }

  #replacement(text: string, mode: Mode): string {
    return mode === "hash" ? keyedHash(this.#key, text) : redactedValue;
  }

  #addNeedles(value: unknown, member: Member, mode: Mode, isNamed: boolean): void {
    if (typeof value === "string") {
      if (!isNamed || member.form === "binary") return;
      this.#needles.add(value, this.#replacement(value, mode), isAccount(member.path));
    } else if (Array.isArray(value)) {
      for (const each of value) this.#addNeedles(each, member, mode, isNamed);
    } else if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        // That a certificate is redacted does not make its CA a secret.
        if (key === "issuer") continue;
        const child = childOf(member, key);
        const isOwn = identifyingKeys.has(key) || this.#modes.has(child.path);
        this.#addNeedles(inner, child, mode, isOwn);
      }
    }
  }

  /** Replaces the redacted values in the texts that are left. */
  #clean(value: unknown, member: Member): unknown {
    if (typeof value === "string") {
      if (!this.#mayReplace(member, value)) return value;
      const readable = nameText.test(member.path)
        ? value.replaceAll(hexValue, redactedValue)
        : value;
      const clean = this.#needles.replacedIn(readable);
      if (clean !== value) this.#noteReplaced(member.path);
      return clean;
    }
    if (Array.isArray(value)) return value.map((each) => this.#clean(each, member));
    if (typeof value !== "object" || value === null) return value;
    const copy: Holder = {};
    for (const [key, inner] of Object.entries(value)) {
      copy[key] = this.#clean(inner, childOf(member, key));
    }
    return copy;
  }

  #noteReplaced(path: string): void {
    if (!path.startsWith("problems.") && !this.#done.has(path)) {
      this.#done.set(path, details.part);
    }
  }

  /** A text of a fixed form would lose it; what no schema knows may be any text. */
  #mayReplace({ form, path }: Member, value: string): boolean {
    if (form !== "text" || ids.has(path)) return false;
    // The name of an attribute is the requester's; everything else in a problem is ours.
    if (path.startsWith("problems."))
      return path === "problems.detail" || value.startsWith("attribute.");
    return this.#modes.get(path) === undefined;
  }
}

/** The problems of an event. */
export function problemsOf({ data }: CertwireEvent): Problem[] {
  const problems = data["problems"];
  return Array.isArray(problems) ? (problems as Problem[]) : [];
}

function isRedaction(problem: Problem): boolean {
  return problem.reason === reason;
}

/** True if a text was changed only because it repeats a value that the options redact elsewhere. */
export function isReplacedInPart(problem: Problem): boolean {
  return isRedaction(problem) && problem.detail === details.part;
}

/** Parts and hashes of a value could be read, or guessed. */
function withoutRaw(problem: Problem): object {
  return Object.fromEntries(Object.entries(problem).filter(([key]) => !rawMembers.includes(key)));
}
