import { nameAttributes } from "../name-text.ts";
import { redactedValue } from "../secrets.ts";
import { folded, PhraseFinder } from "./phrase-finder.ts";

/** Types of name attributes whose value identifies somebody. */
const identifyingTypes: ReadonlySet<string> = new Set([
  "CN",
  "E",
  "G",
  "SERIALNUMBER",
  "SN",
  "UID",
]);

/** What stands for a value, and how much that says: a lower rank goes before a higher one. */
interface Replacement {
  readonly text: string;
  readonly rank: number;
}

/** A whole value, the name in an account, a part of a value. */
const ranks = { whole: 0, account: 1, part: 2 } as const;

/** The values that were redacted in one event, and what stands for them where another text repeats one. */
export class Needles {
  /** By the folded value. */
  readonly #replacements = new Map<string, Replacement>();
  #finder: PhraseFinder<Replacement> | undefined;

  /** Adds a value. `isAccount`: it may be `DOMAIN\name` or `name@domain`, so that `name` alone is looked for too. */
  add(value: string, text: string, isAccount: boolean): void {
    // What was redacted before is nobody's.
    if (value === redactedValue) return;
    this.#put(value, { text, rank: ranks.whole });
    const account = isAccount ? /^(?:[^\\]+\\(.+)|([^@\\]+)@.+)$/.exec(value) : null;
    const name = account?.[1] ?? account?.[2];
    if (name !== undefined) {
      this.#put(name, { text, rank: ranks.account });
      this.#put(name.replace(/\$$/, ""), { text, rank: ranks.account });
    }
    // The CA joins the values of a column with line breaks.
    const lines = value.split(/[\r\n]+/);
    for (const line of lines.length > 1 ? lines : []) this.#put(line, { text, rank: ranks.part });
    for (const part of identifyingParts(value)) this.#put(part, { text, rank: ranks.part });
  }

  #put(value: string, replacement: Replacement): void {
    const whole = value.normalize("NFC").trim();
    if (!/[\p{L}\p{N}]/u.test(whole)) return;
    this.#finder = undefined;
    for (const form of formsOf(whole)) {
      const key = folded(form);
      const before = this.#replacements.get(key);
      if (!before || before.rank > replacement.rank) this.#replacements.set(key, replacement);
    }
  }

  /** The text with every value replaced that stands in it as a word, whatever its case and Unicode form. */
  replacedIn(text: string): string {
    if (this.#replacements.size === 0) return text;
    this.#finder ??= new PhraseFinder(this.#replacements);
    const normal = text.normalize("NFC");
    let [replaced, end] = ["", 0];
    for (const found of this.#finder.findIn(normal)) {
      replaced += normal.slice(end, found.at) + found.value.text;
      end = found.end;
    }
    return end === 0 ? text : replaced + normal.slice(end);
  }
}

/** The parts of a distinguished name that identify somebody; none of another text. */
function identifyingParts(value: string): string[] {
  if (!/^\s*(OID\.)?[\w.-]+\s*=/i.test(value)) return [];
  // A value in hex cannot be compared, and must not hide the others.
  const readable = value.replaceAll(/=\s*#[0-9a-f]*/gi, "=");
  return (nameAttributes(readable) ?? [])
    .filter(({ type }) => identifyingTypes.has(type))
    .map((attribute) => attribute.value);
}

/** A value as it is, and as a distinguished name holds it: by RFC 4514, and between quotes. */
function formsOf(value: string): string[] {
  if (!/[\\",+;<>]|^#/.test(value)) return [value];
  const escaped = value.replaceAll(/[\\",+;<>]|^#/g, "\\$&");
  return [value, escaped, value.replaceAll('"', '""')];
}
