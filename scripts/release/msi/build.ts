// Builds the MSI from tables of our own: msibuild writes the database, gcab the cabinet in it.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { actionsDll, addActions } from "./actions.ts";
import { Database } from "./database.ts";
import { guidOf } from "./identity.ts";
import { addFiles, type CabinetMember } from "./installed-files.ts";
import { addProduct } from "./product.ts";
import { readStagedTree, type StagedDirectory } from "./staged-tree.ts";
import { addSystemChanges } from "./system.ts";

/** What an MSI is made of. */
export interface MsiOptions {
  /** The tree of the folder of the version, as `makeStage` makes it. */
  readonly stage: string;
  readonly version: string;
  /** Path of certwire-msi.dll. */
  readonly actions: string;
  /** Path of the MSI; replaced if it is there. */
  readonly output: string;
  /** Time of every file and of the MSI, in s since 1970. */
  readonly epochSeconds: number;
}

/** An MSI that was built. */
export interface Msi {
  readonly path: string;
  readonly bytes: number;
  /** How many files it installs. */
  readonly files: number;
  readonly productCode: string;
  /** Of its contents: another one for any other byte. */
  readonly packageCode: string;
}

/** Builds the MSI, the same bytes for the same contents. Needs msibuild and gcab. */
export function buildMsi(options: MsiOptions): Msi {
  const { stage, version, actions, output, epochSeconds } = options;
  const work = mkdtempSync(join(tmpdir(), "certwire-msi-"));
  try {
    const database = new Database();
    const root = installedRoot(work, resolve(stage), version);
    const members = addFiles(database, { root, version });
    const productCode = addProduct(database, version);
    addSystemChanges(database, version);
    addActions(database);
    const stream = `${actionsDll}.ibd`;
    database.add("Binary", { Name: actionsDll, Data: stream });
    mkdirSync(join(work, "Binary"));
    copyFileSync(actions, join(work, "Binary", stream));
    const cabinet = makeCabinet(work, members, epochSeconds);
    const tables = database.write(work);
    const packageCode = packageCodeOf([...tables, cabinet, actions]);
    const summary = writeSummary(work, version, packageCode, epochSeconds);
    rmSync(output, { force: true });
    // Before everything else: the code page of the tables.
    const codePage = join(work, "_ForceCodepage.idt");
    writeFileSync(codePage, "\r\n\r\n1252\t_ForceCodepage\r\n");
    const msibuild = (...args: readonly string[]): void =>
      // It looks for the files of Binary in its working directory.
      run("msibuild", [resolve(output), ...args], work);
    for (const table of [codePage, summary, ...tables]) msibuild("-i", table);
    msibuild("-a", "certwire.cab", cabinet);
    const { size } = statSync(output);
    return { path: output, bytes: size, files: members.length, productCode, packageCode };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The tree of INSTALLDIR: the folder of the version, and the command on the PATH, which stays the same one. */
function installedRoot(work: string, stage: string, version: string): StagedDirectory {
  const launcher = join(work, "launcher");
  mkdirSync(launcher);
  writeFileSync(join(launcher, "certwire.cmd"), `@"%~dp0${version}\\certwire.cmd" %*\r\n`);
  const { files } = readStagedTree(launcher);
  return { name: "", path: "", files, directories: [below(version, readStagedTree(stage))] };
}

/** A tree as it is in a directory. */
function below(name: string, tree: StagedDirectory): StagedDirectory {
  const moved = (path: string): string => (path === "" ? name : `${name}/${path}`);
  const move = (directory: StagedDirectory): StagedDirectory => ({
    name: directory.name,
    path: moved(directory.path),
    files: directory.files.map((file) => ({ ...file, path: moved(file.path) })),
    directories: directory.directories.map(move),
  });
  return { ...move(tree), name };
}

/** The cabinet, whose members have the keys of the table File as names. */
function makeCabinet(
  work: string,
  members: readonly CabinetMember[],
  epochSeconds: number,
): string {
  const files = join(work, "files");
  mkdirSync(files);
  for (const { key, file } of members) {
    const path = join(files, key);
    copyFileSync(file.source, path);
    utimesSync(path, epochSeconds, epochSeconds);
  }
  const cabinet = join(work, "certwire.cab");
  run("gcab", ["--create", "--nopath", "--zip", cabinet, ...members.map(({ key }) => key)], files);
  return cabinet;
}

function packageCodeOf(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(readFileSync(path));
  return guidOf(`package ${hash.digest("hex")}`);
}

function writeSummary(
  work: string,
  version: string,
  packageCode: string,
  epochSeconds: number,
): string {
  const time = new Date(epochSeconds * 1000).toISOString().slice(0, 19);
  const written = time.replaceAll("-", "/").replace("T", " ");
  const properties: Readonly<Record<number, string>> = {
    1: "1252", // code page
    2: "Installation Database",
    3: `Certwire ${version}`,
    4: "The Certwire authors",
    5: "Installer",
    6: "Exit module for AD CS, and the service that publishes its events",
    7: "x64;1033",
    9: packageCode,
    12: written, // created
    13: written, // saved
    14: "500", // needs Windows Installer 5.0
    15: "2", // long names, compressed
    18: "Certwire",
    19: "2", // read-only recommended
  };
  const rows = Object.entries(properties).map(([id, value]) => `${id}\t${value}\r\n`);
  const path = join(work, "_SummaryInformation.idt");
  const head = "PropertyId\tValue\r\ni2\tl255\r\n_SummaryInformation\tPropertyId\r\n";
  writeFileSync(path, head + rows.join(""));
  return path;
}

function run(command: string, args: readonly string[], directory: string): void {
  // A cabinet holds the local time.
  const env = { ...process.env, TZ: "UTC" };
  execFileSync(command, args, { cwd: directory, env, stdio: ["ignore", "ignore", "inherit"] });
}
