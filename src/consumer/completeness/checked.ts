/** A value of a saved state, read member by member; each method throws a TypeError for what should not be there. */
export class Checked {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  get isText(): boolean {
    return typeof this.#value === "string";
  }

  /** A member of an object, or an item of a list. */
  get(name: string | number): Checked {
    if (typeof this.#value !== "object" || this.#value === null) throw invalid("not an object");
    return new Checked((this.#value as Readonly<Record<string | number, unknown>>)[name]);
  }

  /** A text, of a form if there is one. */
  text(form?: RegExp): string {
    const value = this.#value;
    if (typeof value === "string" && (form === undefined || form.test(value))) return value;
    throw invalid("not a text");
  }

  /** A whole number from 0. */
  count(): number {
    const value = this.#value;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw invalid("not a count");
  }

  countOrNull(): number | null {
    return this.#value === null ? null : this.count();
  }

  /** `undefined` for a member that is absent. */
  optional<T>(read: (value: Checked) => T): T | undefined {
    return this.#value === undefined ? undefined : read(this);
  }

  list<T>(read: (item: Checked) => T): T[] {
    if (!Array.isArray(this.#value)) throw invalid("not a list");
    return this.#value.map((item: unknown) => read(new Checked(item)));
  }
}

function invalid(what: string): TypeError {
  return new TypeError(`a value of the state is ${what}`);
}
