import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { schemas, type TableName } from "./schema.ts";
import { Table } from "./table.ts";

/** The tables of an MSI while they are written. */
export class Database {
  readonly #tables = Object.entries(schemas).map(([name, schema]) => new Table(name, schema));

  /** Adds rows to a table. Throws when one does not fit. */
  add(
    name: TableName,
    ...rows: readonly Readonly<Record<string, string | number | undefined>>[]
  ): void {
    const table = this.#tables.find((each) => each.name === name);
    for (const row of rows) table?.add(row);
  }

  /** Writes one `.idt` file for each table that has rows; their paths. */
  write(directory: string): string[] {
    return this.#tables
      .filter((table) => !table.isEmpty)
      .map((table) => {
        const path = join(directory, `${table.name}.idt`);
        writeFileSync(path, table.toIdt());
        return path;
      });
  }
}
