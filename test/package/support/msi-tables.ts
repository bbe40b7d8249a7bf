import { join, resolve } from "node:path";
import { repoRoot } from "../../integration/support/repo-root.ts";
import { runCommand } from "../../integration/support/run-command.ts";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";

/** A row by its columns; an empty field is an empty text, a number is text too. */
export type MsiRow = Readonly<Record<string, string>>;

/** The tables of an MSI by name. */
export type MsiTables = Readonly<Record<string, readonly MsiRow[]>>;

/** Reads all tables with msiinfo. */
export async function readTables(path: string): Promise<MsiTables> {
  const names = (await msiinfo("tables", path))
    .split(/\r?\n/)
    .filter((name) => /^[A-Z]/.test(name));
  const entries = names.map(async (name) => [name, await readTable(path, name)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function readTable(path: string, name: string): Promise<MsiRow[]> {
  const [head = "", , , ...lines] = (await msiinfo("export", path, name)).split("\r\n");
  const columns = head.split("\t");
  return lines.filter(Boolean).map((line) => {
    const fields = line.split("\t");
    return Object.fromEntries(columns.map((column, at) => [column, fields[at] ?? ""]));
  });
}

/** The summary, as msiinfo prints it. */
export async function readSummary(path: string): Promise<string> {
  return msiinfo("suminfo", path);
}

async function msiinfo(command: string, path: string, ...args: readonly string[]): Promise<string> {
  // It writes the streams of a table into its working directory.
  const directory = makeTempDirectory("msiinfo");
  return (await runCommand("msiinfo", [command, resolve(path), ...args], { directory })).toString(
    "latin1",
  );
}

/** Reads all tables with pymsi, which shares no code with msiinfo. */
export async function readTablesByPymsi(path: string): Promise<MsiTables> {
  const python = join(repoRoot, "var", "python", "bin", "python");
  const output = await runCommand(python, [join(repoRoot, "test", "package", "read-msi.py"), path]);
  const tables = JSON.parse(output.toString()) as Record<string, Record<string, unknown>[]>;
  const text = (value: unknown): string =>
    typeof value === "string" || typeof value === "number" ? String(value) : "";
  return Object.fromEntries(
    Object.entries(tables).map(([name, rows]) => [
      name,
      rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([column, value]) => [column, text(value)])),
      ),
    ]),
  );
}
