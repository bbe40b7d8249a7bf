// The tables and the cabinet of the MSI, on Linux: read by two programs, checked against the rules of Windows Installer.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { buildMsi, type Msi } from "../../scripts/release/msi/build.ts";
import { filesOf, makeStage } from "../../scripts/release/stage.ts";
import { runCommand } from "../integration/support/run-command.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { findingsOf } from "./support/check-msi.ts";
import {
  type MsiRow,
  type MsiTables,
  readSummary,
  readTables,
  readTablesByPymsi,
} from "./support/msi-tables.ts";
import { epochSeconds, windowsBinaries } from "./support/staged.ts";

const directory = makeTempDirectory("msi-tables");
const stage = join(directory, "stage");
let windowsBuild = "";
let msi: Msi;
let tables: MsiTables;

function build(name: string, version = "1.2.3"): Msi {
  return buildMsi({
    stage,
    version,
    actions: join(windowsBuild, "certwire-msi.dll"),
    output: join(directory, name),
    epochSeconds,
  });
}

before(async () => {
  windowsBuild = await windowsBinaries();
  await makeStage({
    directory: stage,
    windowsBuild,
    // A small program in its place: the tables are the same.
    node: {
      version: "22.0.0",
      executable: join(windowsBuild, "certwire-service.exe"),
      sha256: "",
      licence: "LICENSE",
    },
    epochSeconds,
  });
  msi = build("first.msi");
  tables = await readTables(msi.path);
});

test("the tables break no rule of Windows Installer", () => {
  assert.deepEqual(findingsOf(tables), []);
  assert.equal(tables["File"]?.length, msi.files);
});

/** Tables in which one row is another one, or is gone. */
function changed(table: string, key: string, change: MsiRow | undefined): MsiTables {
  const rows = tables[table] ?? [];
  const isTheRow = (row: MsiRow) => Object.values(row).includes(key);
  assert.ok(rows.some(isTheRow), `${table} has no row ${key}`);
  return {
    ...tables,
    [table]: rows.flatMap((row) => {
      if (!isTheRow(row)) return [row];
      return change === undefined ? [] : [{ ...row, ...change }];
    }),
  };
}

test("a broken table is found", () => {
  const service = "c_ServiceExe";
  const faults: readonly [MsiTables, RegExp][] = [
    [changed("FeatureComponents", service, undefined), /c_ServiceExe is in no feature/],
    [changed("Component", service, { Attributes: "0" }), /c_ServiceExe is not 64-bit/],
    [changed("Component", service, { ComponentId: "{1}" }), /c_ServiceExe has the GUID/],
    [changed("Component", service, { KeyPath: "NodeExe" }), /c_ServiceExe has no key path/],
    [changed("Component", service, { Directory_: "D" }), /Component.Directory_ D is not in/],
    [changed("CreateFolder", "PathEntry", undefined), /component PathEntry has no key path/],
    [changed("File", "NodeExe", { FileName: "node.service" }), /node.service has no short name/],
    [changed("File", "NodeExe", { FileName: "CERTWI~1.EXE|n" }), /two files are/],
    [changed("File", "NodeExe", { Version: "" }), /neither version nor hash/],
    [changed("File", "NodeExe", { Sequence: "99" }), /Sequence has holes/],
    [changed("Media", "1", { LastSequence: "1" }), /LastSequence is wrong/],
    [
      changed("InstallExecuteSequence", "Register", { Sequence: "1400" }),
      /Register is deferred and/,
    ],
    [changed("InstallExecuteSequence", "StopServices", { Sequence: "3600" }), /is out of order/],
    [
      changed("InstallExecuteSequence", "RemoveExistingProducts", { Sequence: "1605" }),
      /not the first/,
    ],
    [changed("CustomAction", "Register", { Type: "1074" }), /Register impersonates/],
    [changed("CustomAction", "ConfigureService", { Source: "X" }), /has no source X/],
    [changed("Property", "UpgradeCode", { Value: "1" }), /UpgradeCode is not a GUID/],
    [changed("AppSearch", "PREVIOUSCONFIGFILE", { Property: "LAST" }), /LAST is not a secure/],
    [changed("Upgrade", "OLDERVERSIONFOUND", { ActionProperty: "Older" }), /Older is not a secure/],
  ];
  for (const [fault, expected] of faults) assert.match(findingsOf(fault).join("\n"), expected);
});

test("another reader finds the same rows", async () => {
  const inOrder = (read: MsiTables) =>
    Object.entries(read)
      .filter(([name]) => name !== "Binary") // its stream has no text
      .map(([name, rows]) => [name, rows.map((row) => JSON.stringify(row)).toSorted()] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
  assert.deepEqual(inOrder(await readTablesByPymsi(msi.path)), inOrder(tables));
});

test("the summary says x64, compressed, and Windows Installer 5", async () => {
  const summary = await readSummary(msi.path);
  assert.match(summary, /^Template: x64;1033$/m);
  assert.match(summary, /^Version: 500 /m);
  assert.match(summary, /^Source: 2 /m);
  assert.match(summary, new RegExp(`^Revision number \\(UUID\\): ${msi.packageCode}$`, "m"));
});

test("the cabinet holds the staged files, and the command that finds them", async () => {
  const cabinet = join(directory, "certwire.cab");
  writeFileSync(cabinet, await runCommand("msiinfo", ["extract", msi.path, "certwire.cab"]));
  assert.match((await runCommand("cabextract", ["--test", cabinet])).toString(), /no errors/);
  const members = (await runCommand("gcab", ["--list", cabinet])).toString().trim().split("\n");
  const keys = tables["File"]?.toSorted((a, b) => Number(a["Sequence"]) - Number(b["Sequence"]));
  assert.deepEqual(
    members,
    keys?.map((row) => row["File"]),
    "in the order of the table",
  );
  const extracted = join(directory, "extracted");
  mkdirSync(extracted);
  await runCommand("msiextract", ["--directory", extracted, msi.path]);
  const root = join(extracted, "Certwire");
  await runCommand("diff", ["--recursive", stage, join(root, "1.2.3")]);
  assert.equal(filesOf(root).length, filesOf(stage).length + 1);
  assert.equal(
    readFileSync(join(root, "certwire.cmd"), "latin1"),
    '@"%~dp01.2.3\\certwire.cmd" %*\r\n',
  );
});

test("programs have the version of their resource, other files a hash", () => {
  const versions = new Map(tables["File"]?.map((row) => [row["File"], row["Version"]]));
  const expected = `${readVersion()}.0`;
  assert.equal(versions.get("ExitModuleDll"), expected);
  assert.equal(versions.get("ServiceExe"), expected);
  const unversioned = [...versions.values()].filter((version) => version === "");
  assert.equal(tables["MsiFileHash"]?.length, unversioned.length);
});

function readVersion(): string {
  return (JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version;
}

test("the same contents give the same bytes, and others another package code", () => {
  assert.deepEqual(readFileSync(build("second.msi").path), readFileSync(msi.path));
  const example = join(stage, "config", "certwire.example.jsonc");
  const unchanged = readFileSync(example);
  writeFileSync(example, "{}");
  const other = build("other.msi");
  writeFileSync(example, unchanged);
  assert.notEqual(other.packageCode, msi.packageCode);
  assert.equal(other.productCode, msi.productCode);
});

test("versions share the upgrade code and the components of what stays, and nothing else", async () => {
  const next = await readTables(build("next.msi", "1.3.0-rc.1").path);
  const property = (read: MsiTables, name: string) =>
    read["Property"]?.find((row) => row["Property"] === name)?.["Value"];
  assert.equal(property(next, "UpgradeCode"), property(tables, "UpgradeCode"));
  assert.notEqual(property(next, "ProductCode"), property(tables, "ProductCode"));
  assert.equal(property(next, "ProductVersion"), "1.3.0");
  const ids = (read: MsiTables) => read["Component"]?.map((row) => row["ComponentId"] ?? "") ?? [];
  const shared = new Set(ids(tables).filter((id) => ids(next).includes(id)));
  const names = tables["Component"]?.filter((row) => shared.has(row["ComponentId"] ?? ""));
  const launcher = tables["File"]?.find((row) => row["FileName"] === "certwire.cmd");
  assert.deepEqual(
    new Set(names?.map((row) => row["Component"])),
    new Set([launcher?.["Component_"], "PathEntry", "Settings"]),
  );
});

test("the CA is left alone: nothing stops certsvc, names its exit modules or restarts Windows", () => {
  const services = [...(tables["ServiceControl"] ?? []), ...(tables["ServiceInstall"] ?? [])];
  assert.deepEqual([...new Set(services.map((row) => row["Name"]))], ["Certwire"]);
  const text = JSON.stringify(tables);
  assert.doesNotMatch(text, /certsvc/i);
  assert.doesNotMatch(text, /ExitModules\b/i);
  const property = new Map(tables["Property"]?.map((row) => [row["Property"], row["Value"]]));
  assert.equal(property.get("MSIRESTARTMANAGERCONTROL"), "Disable");
  assert.equal(property.get("REBOOT"), "ReallySuppress");
});

test("an upgrade never leaves the CA without a registered exit module", () => {
  const rows = new Map(tables["InstallExecuteSequence"]?.map((row) => [row["Action"], row]));
  // The old version's own removal does not unregister while it is replaced, and registers again if that fails.
  assert.equal(rows.get("Unregister")?.["Condition"], 'REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE');
  assert.equal(rows.get("RegisterAgain")?.["Condition"], 'REMOVE="ALL"');
  const at = (action: string) => Number(rows.get(action)?.["Sequence"]);
  // A rollback runs backwards: files first, then what needs them.
  assert.ok(at("RegisterAgain") < at("RemoveFiles"));
  assert.ok(at("UndoRegister") > at("InstallFiles") && at("UndoRegister") < at("Register"));
});

test("a tree that cannot be installed is refused", (t: TestContext) => {
  const bad = join(directory, "bad");
  const refuse = (version: string, message: RegExp) =>
    t.assert.throws(
      () =>
        buildMsi({
          stage: bad,
          version,
          actions: join(windowsBuild, "certwire-msi.dll"),
          output: join(directory, "bad.msi"),
          epochSeconds,
        }),
      message,
    );
  cpSync(stage, bad, { recursive: true });
  refuse("1.2", /cannot have the version 1\.2/);
  refuse("256.0.0", /cannot have the version 256/);
  rmSync(join(bad, "node.exe"));
  refuse("1.2.3", /the staged tree lacks node\.exe/);
  writeFileSync(join(bad, "Übersicht.txt"), "");
  writeFileSync(join(bad, "node.exe"), "");
  refuse("1.2.3", /File\.FileName holds printable ASCII only/);
});
