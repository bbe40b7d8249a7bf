import { CertwireError } from "../errors/certwire-error.ts";
import type { PlaceholderValues } from "../events/destination.ts";

/** A kind of event with the longest name; a test compares it with all of them. */
export const longestKind = "certificate.unrevoked";

/** Stands for a value that is empty or missing. */
const missingValue = "none";

/** Stands for each character that may not be in a value. */
const replacement = "_";

/** Longest value of each placeholder, in bytes of UTF-8; a longer one is cut. The OID of a template has up to 92. */
const maxBytes = { kind: longestKind.length, template: 100, ca: 64 } as const;

type Placeholder = keyof typeof maxBytes;

const placeholder = /\{(kind|template|ca)\}/;

/** The name of a topic, an exchange or a routing key, in which placeholders may stand for values of an event. */
export class DestinationName {
  /** Texts and, between each two of them, a placeholder. */
  readonly #parts: readonly string[];
  readonly #replaced: RegExp;

  /**
   * `replaced`: the characters of a value that may not be in it, with the flags `g` and `u`. Throws a CertwireError when
   * the text has a placeholder that does not exist.
   */
  constructor(text: string, replaced: RegExp) {
    this.#parts = text.split(placeholder);
    this.#replaced = replaced;
    const [unknown] = /\{\w*\}/.exec(this.fixedText) ?? [];
    if (unknown !== undefined) throw unknownPlaceholder(unknown);
  }

  /** True if the name has no placeholder. */
  get isFixed(): boolean {
    return this.#parts.length === 1;
  }

  /** True if the name depends on more than the kind of event. */
  get usesTemplateOrCa(): boolean {
    return this.#parts.some((part, index) => index % 2 === 1 && part !== "kind");
  }

  /** The name without its placeholders. */
  get fixedText(): string {
    return this.#parts.filter((_, index) => index % 2 === 0).join("");
  }

  /** Length of the longest name that values can make, in bytes of UTF-8. */
  get longestBytes(): number {
    return this.#parts.reduce(
      (sum, part, index) =>
        sum + (index % 2 === 0 ? Buffer.byteLength(part) : maxBytes[part as Placeholder]),
      0,
    );
  }

  /** The name with the values of an event. */
  nameFor(values: PlaceholderValues): string {
    return this.#parts
      .map((part, index) => (index % 2 === 0 ? part : this.#valueOf(part as Placeholder, values)))
      .join("");
  }

  #valueOf(name: Placeholder, values: PlaceholderValues): string {
    if (name === "kind") return values.kind;
    const value = values[name] || missingValue;
    return cut(value.replace(this.#replaced, replacement), maxBytes[name]);
  }
}

/** The start of a text that has no more than `limit` bytes of UTF-8, without half a character at its end. */
function cut(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > limit) break;
    end += character.length;
  }
  return text.slice(0, end);
}

function unknownPlaceholder(text: string): CertwireError {
  const hint =
    text === "{requester}"
      ? "There is none for it: whoever requests a certificate would choose where its events go. Use a route with `requester`."
      : "There are {kind}, {template} and {ca}.";
  return new CertwireError("CERTWIRE_CONFIG_INVALID", `${text} is not a placeholder`, { hint });
}
