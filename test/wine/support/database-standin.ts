import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";
import { fixture } from "../../support/exit-records.ts";
import { type CaRow, spacedSha1 } from "../../support/fake-ca-database.ts";
import type { ReaderResult, ReaderTask } from "./database-reader.ts";
import { nodeForWindows, prepareWine, runWine, windowsBuild, windowsPath } from "./wine.ts";

/** A value in a script; test/scenarios/README.md describes the forms. */
export type ScriptValue = Readonly<Record<string, unknown>>;

/** A row that a script lists. */
export interface ScriptRow {
  readonly id: number;
  readonly columns?: Readonly<Record<string, ScriptValue>>;
  readonly attributes?: readonly (readonly [unknown, ScriptValue])[];
  readonly extensions?: readonly (readonly [string, number, ScriptValue])[];
}

/** A failure or a delay of a call. What is left out fits every call. */
export interface ScriptFault {
  readonly call: string;
  readonly view?: number;
  readonly row?: number;
  readonly name?: string;
  readonly hresult?: string;
  readonly delayMs?: number;
  readonly endless?: boolean;
  readonly times?: number;
}

/** What the database of the stand-in holds and does. */
export interface DatabaseScript {
  /** Default the CA of the scripts. */
  readonly config?: string;
  readonly rows?: readonly ScriptRow[];
  readonly generate?: Readonly<Record<string, number | string>>;
  readonly lacking?: readonly string[];
  /** Rows of the table of CRLs. */
  readonly crls?: readonly Pick<ScriptRow, "id" | "columns">[];
  readonly faults?: readonly ScriptFault[];
  readonly changes?: readonly Readonly<Record<string, unknown>>[];
  readonly ca?: Readonly<Record<string, ScriptValue>>;
}

/** What the stand-in was asked, and what was wrong with it. */
export interface DatabaseReport {
  readonly views: number;
  readonly rows: number;
  readonly objects: number;
  readonly longestViewMs: number;
  readonly calls: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  readonly selected: readonly string[];
}

/** The CA of the scripts. */
export const config = "CA01\\Contoso Issuing CA";
export const caCertificate: Buffer = fixture("ca-rsa");

const ca = {
  6: { string: "Contoso Issuing CA" },
  7: { string: "Contoso Issuing CA" },
  10: { long: 1 },
  11: { long: 1 },
  "12.0": { binary: caCertificate.toString("base64") },
  22: { string: "ca01.contoso.com" },
};

const classes = [
  "{A12D0F7A-1E84-11D1-9BD6-00C04FB683FA}",
  "{37EABAF0-7FB6-11D0-8817-00A0C903B83C}",
  "{98AFF3F0-5524-11D0-8812-00A0C903B83C}",
];

let registered: Promise<void> | undefined;

/** Makes Wine ready with the stand-in. False as `prepareWine`. */
export async function prepareDatabase(t: TestContext): Promise<boolean> {
  if (!(await prepareWine(t))) return false;
  registered ??= registerDatabaseStandin();
  await registered;
  return true;
}

/** Fails unless the reader has kept to the interfaces' contract. */
export function assertClean(report: DatabaseReport | undefined): void {
  assert.ok(report, "every object of the stand-in was released");
  assert.deepEqual(report.violations, []);
  assert.ok(!report.selected.includes("Request.RawArchivedKey"));
}

/** Registers the stand-in under the class ids of Windows's own DLL, which Wine does not have. */
export async function registerDatabaseStandin(): Promise<void> {
  const dll = windowsPath(join(windowsBuild, "certadm-standin.dll"));
  for (const clsid of classes) {
    const key = `HKLM\\Software\\Classes\\CLSID\\${clsid}\\InprocServer32`;
    await runWine("reg", ["add", key, "/ve", "/d", dll, "/f"]);
    await runWine("reg", ["add", key, "/v", "ThreadingModel", "/d", "Both", "/f"]);
  }
}

/** Writes a script for the stand-in, which the programs that this process starts in Wine use then. */
export function useDatabase(script: DatabaseScript): { readonly report: () => DatabaseReport } {
  const directory = makeTempDirectory("ca-database");
  const [file, report] = ["script.json", "report.json"].map((name) => join(directory, name)) as [
    string,
    string,
  ];
  const whole = { config, report: windowsPath(report), ...script, ca: { ...ca, ...script.ca } };
  writeFileSync(file, JSON.stringify(whole));
  process.env["CERTWIRE_DATABASE_STANDIN"] = windowsPath(file);
  return { report: () => JSON.parse(readFileSync(report, "utf8")) as DatabaseReport };
}

/** A row of the fake database, as a script lists it. */
export function scriptRow(row: CaRow): ScriptRow {
  const { id, disposition, submitted, resolved, revoked, reason, status, certificate, requester } =
    row;
  const columns: Record<string, ScriptValue> = {};
  const long = (name: string, value: number | undefined) => {
    if (value !== undefined) columns[`Request.${name}`] = { long: value };
  };
  const date = (name: string, ms: number | undefined) => {
    if (ms !== undefined) columns[`Request.${name}`] = { date: ms / 86_400_000 + 25_569 };
  };
  long("RequestID", id);
  long("Disposition", disposition);
  long("StatusCode", status);
  long("RevokedReason", reason);
  if (requester !== undefined) columns["Request.RequesterName"] = { string: requester };
  date("SubmittedWhen", submitted);
  date("ResolvedWhen", resolved);
  date("RevokedWhen", revoked);
  if (certificate !== undefined) {
    columns["RawCertificate"] = { binary: certificate.toString("base64") };
    columns["CertificateHash"] = { string: spacedSha1(certificate) };
  }
  return { id, columns };
}

/** Reads the database of a script in node.exe for Windows, with the real addon. */
export async function readDatabase(
  script: DatabaseScript,
  task: Partial<ReaderTask> = {},
): Promise<{ result: ReaderResult; report: DatabaseReport | undefined }> {
  const directory = makeTempDirectory("ca-database");
  const [scriptFile, reportFile, taskFile, resultFile] = [
    "script.json",
    "report.json",
    "task.json",
    "result.json",
  ].map((name) => join(directory, name)) as [string, string, string, string];
  const whole = { config, report: windowsPath(reportFile), ...script, ca: { ...ca, ...script.ca } };
  writeFileSync(scriptFile, JSON.stringify(whole));
  const wanted: ReaderTask = {
    standin: windowsPath(scriptFile),
    config,
    columns: "scan",
    after: 0,
    single: [],
    keepsRows: true,
    ...task,
  };
  writeFileSync(taskFile, JSON.stringify(wanted));
  const program = windowsPath(join(import.meta.dirname, "database-reader.js"));
  const files = [taskFile, resultFile].map(windowsPath);
  await runWine(await nodeForWindows(), [program, ...files]);
  const result = JSON.parse(readFileSync(resultFile, "utf8")) as ReaderResult;
  return { result, report: reportIn(reportFile) };
}

/** Absent as long as an object of the stand-in lives. */
function reportIn(path: string): DatabaseReport | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as DatabaseReport;
  } catch {
    return undefined;
  }
}

/** The disposition of a row that the stand-in generates. */
export function generatedDisposition(id: number, seed: number): number {
  const share = ((Math.imul(id, 2_654_435_761) + seed) >>> 0) % 100;
  return share < 80 ? 20 : share < 88 ? 21 : share < 93 ? 31 : share < 96 ? 30 : 9;
}

/** How many of the rows that the stand-in generates have each disposition. */
export function generatedDispositions(ids: Iterable<number>, seed: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of ids) {
    const disposition = generatedDisposition(id, seed);
    counts[disposition] = (counts[disposition] ?? 0) + 1;
  }
  return counts;
}
