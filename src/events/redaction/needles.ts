import { nameAttributes } from "../name-text.ts";

/** Types of name attributes whose value identifies somebody. */
const identifyingTypes: ReadonlySet<string> = new Set(["CN", "E", "UID"]);

/** What stands for a value, and how much that says: a lower rank goes before a higher one. */
interface Replacement {
  readonly text: string;
  readonly rank: number;
}

/** A whole value, the name in an account, a part of a distinguished name. */
const ranks = { whole: 0, account: 1, part: 2 } as const;

/** The values that were redacted in one event, and what stands for them where another text repeats one. */
export class Needles {
  /** By the folded value. */
  readonly #replacements = new Map<string, Replacement>();

  /** Adds a value. `isAccount`: it may be `DOMAIN\name`, so that `name` alone is looked for too. */
  add(value: string, text: string, isAccount: boolean): void {
    this.#put(value, { text, rank: ranks.whole });
    const name = isAccount ? /^[^\\]+\\(.+)$/.exec(value)?.[1] : undefined;
    if (name !== undefined) {
      this.#put(name, { text, rank: ranks.account });
      this.#put(name.replace(/\$$/, ""), { text, rank: ranks.account });
    }
    if (!/^\s*(OID\.)?[\w.-]+\s*=/i.test(value)) return;
    for (const { type, value: part } of nameAttributes(value) ?? []) {
      if (identifyingTypes.has(type)) this.#put(part, { text, rank: ranks.part });
    }
  }

  #put(value: string, replacement: Replacement): void {
    const key = fold(value);
    const before = this.#replacements.get(key);
    if (key.trim() === "" || (before && before.rank <= replacement.rank)) return;
    this.#replacements.set(key, replacement);
  }

  /** The text with every value replaced that stands in it as a word, whatever its case. */
  replacedIn(text: string): string {
    const folded = fold(text);
    let [replaced, end] = ["", 0];
    for (let match = this.#next(folded, 0); match; match = this.#next(folded, end)) {
      replaced += text.slice(end, match.at) + match.replacement;
      end = match.at + match.length;
    }
    return end === 0 ? text : replaced + text.slice(end);
  }

  /** The first value from an offset onward, and the longest of those that begin there. */
  #next(folded: string, from: number): Match | undefined {
    let first: Match | undefined;
    for (const [value, { text: replacement }] of this.#replacements) {
      const at = wordAt(folded, value, from);
      const isEarlier = first === undefined || at < first.at;
      const isLonger = at === first?.at && value.length > first.length;
      if (at >= 0 && (isEarlier || isLonger)) first = { at, length: value.length, replacement };
    }
    return first;
  }
}

interface Match {
  readonly at: number;
  readonly length: number;
  readonly replacement: string;
}

/** In lower case, at the same length: no other letter than this one is longer so. */
function fold(text: string): string {
  return text.replaceAll("\u0130", "i").toLowerCase();
}

/** Where a value stands with neither a letter nor a digit beside it; -1 for nowhere. */
function wordAt(folded: string, value: string, from: number): number {
  let at = folded.indexOf(value, from);
  while (at >= 0 && (isWordPart(folded[at - 1]) || isWordPart(folded[at + value.length]))) {
    at = folded.indexOf(value, at + 1);
  }
  return at;
}

function isWordPart(character = ""): boolean {
  return /[\p{L}\p{N}]/u.test(character);
}
