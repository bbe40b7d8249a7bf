/** A value of a row; undefined is an empty field. */
type Value = string | number | undefined;

/** The columns of one table of an MSI, as its `.idt` file writes them. */
export interface TableSchema {
  /**
   * Name and type of each column: `s72` is text of at most 72 characters, `l255` text that a translation may change, `0`
   * any length, `i2` and `i4` integers of 2 and 4 bytes, `v0` a file of its own. In upper case the column may be empty.
   */
  readonly columns: Readonly<Record<string, string>>;
  /** How many of the first columns are the key. */
  readonly keys: number;
}

/** A table of an MSI while it is written. */
export class Table {
  readonly name: string;
  readonly #schema: TableSchema;
  readonly #rows: string[][] = [];

  constructor(name: string, schema: TableSchema) {
    this.name = name;
    this.#schema = schema;
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  /** Adds a row. Throws when a value does not fit its column, or the key is taken. */
  add(row: Readonly<Record<string, Value>>): void {
    const { columns, keys } = this.#schema;
    const unknown = Object.keys(row).find((name) => !Object.hasOwn(columns, name));
    if (unknown !== undefined) throw new Error(`table ${this.name} has no column ${unknown}`);
    const fields = Object.entries(columns).map(([name, type]) =>
      fieldOf(row[name], type, `${this.name}.${name}`),
    );
    const key = (one: readonly string[]) => one.slice(0, keys).join("\t");
    if (this.#rows.some((other) => key(other) === key(fields))) {
      throw new Error(`table ${this.name} has two rows ${key(fields).replaceAll("\t", ", ")}`);
    }
    this.#rows.push(fields);
  }

  /** The table as text that `msibuild -i` reads. */
  toIdt(): string {
    const names = Object.keys(this.#schema.columns);
    const head = [
      names,
      Object.values(this.#schema.columns),
      [this.name, ...names.slice(0, this.#schema.keys)],
    ];
    return [...head, ...this.#rows].map((fields) => `${fields.join("\t")}\r\n`).join("");
  }
}

function fieldOf(value: Value, type: string, column: string): string {
  const kind = type.charAt(0);
  const size = Number(type.slice(1));
  if (value === undefined) {
    if (kind === kind.toLowerCase()) throw new Error(`${column} must have a value`);
    return "";
  }
  const isInteger = kind.toLowerCase() === "i";
  if (isInteger !== (typeof value === "number")) {
    throw new Error(
      `${column} is ${isInteger ? "a number" : "text"}, not ${JSON.stringify(value)}`,
    );
  }
  if (typeof value === "number") {
    const limit = 2 ** (8 * size - 1);
    if (!Number.isInteger(value) || value <= -limit || value >= limit) {
      // The lowest number stands for an empty field.
      throw new Error(`${column} does not hold the number ${value}`);
    }
    return String(value);
  }
  if (!/^[ -~]*$/.test(value)) {
    throw new Error(`${column} holds printable ASCII only, not ${JSON.stringify(value)}`);
  }
  if (size > 0 && value.length > size) {
    throw new Error(`${column} holds ${size} characters, not the ${value.length} of ${value}`);
  }
  return value;
}
