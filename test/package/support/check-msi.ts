// What Microsoft's internal consistency evaluators (ICE) check, as far as our tables have it.
import type { MsiRow, MsiTables } from "./msi-tables.ts";

/** What is wrong with the tables of an MSI; nothing if all is right. */
export function findingsOf(tables: MsiTables): string[] {
  return [
    ...references(tables),
    ...identifiers(tables),
    ...components(tables),
    ...files(tables),
    ...sequences(tables),
    ...actions(tables),
    ...userInterface(tables),
    ...properties(tables),
  ];
}

const rowsOf = (tables: MsiTables, name: string): readonly MsiRow[] => tables[name] ?? [];

function valuesOf(tables: MsiTables, name: string, column: string): string[] {
  return rowsOf(tables, name).map((row) => row[column] ?? "");
}

/** The table that a column names a row of. */
const targets: Readonly<Record<string, string>> = {
  Component_: "Component",
  Directory_: "Directory",
  Directory_Parent: "Directory",
  Feature_: "Feature",
  File_: "File",
  Signature_: "RegLocator",
  DirProperty: "Directory",
};

/** ICE03, ICE06. */
function references(tables: MsiTables): string[] {
  return Object.entries(tables).flatMap(([name, rows]) =>
    Object.entries(targets).flatMap(([column, target]) => {
      const known = new Set(valuesOf(tables, target, target === "RegLocator" ? column : target));
      return rows
        .map((row) => row[column] ?? "")
        .filter((value) => value !== "" && !known.has(value))
        .map((value) => `${name}.${column} ${value} is not in ${target}`);
    }),
  );
}

/** ICE03. */
function identifiers(tables: MsiTables): string[] {
  return ["File", "Component", "Directory", "Registry", "CustomAction", "Feature"].flatMap(
    (name) => {
      const column = name === "CustomAction" ? "Action" : name;
      return valuesOf(tables, name, column)
        .filter((value) => !/^[A-Za-z_][\w.]{0,71}$/.test(value))
        .map((value) => `${name} ${value} is not an identifier`);
    },
  );
}

const guid = /^\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}$/;

/** ICE08, ICE18, ICE21, ICE80. */
function components(tables: MsiTables): string[] {
  const inFeature = new Set(valuesOf(tables, "FeatureComponents", "Component_"));
  const created = new Set(
    rowsOf(tables, "CreateFolder").map((row) => `${row["Component_"]} ${row["Directory_"]}`),
  );
  const ids = valuesOf(tables, "Component", "ComponentId");
  const doubled = ids.filter((id, at) => ids.indexOf(id) !== at);
  return [
    ...doubled.map((id) => `component GUID ${id} is not unique`),
    ...rowsOf(tables, "Component").flatMap((row) => {
      const { Component: name = "", ComponentId: id = "", KeyPath: keyPath = "" } = row;
      const attributes = Number(row["Attributes"]);
      const keyTable = (attributes & 4) === 0 ? "File" : "Registry";
      const own = rowsOf(tables, keyTable).filter((each) => each["Component_"] === name);
      const hasKeyPath =
        keyPath === ""
          ? created.has(`${name} ${row["Directory_"]}`)
          : own.some((each) => each[keyTable] === keyPath);
      return [
        ...(inFeature.has(name) ? [] : [`component ${name} is in no feature`]),
        ...(guid.test(id) ? [] : [`component ${name} has the GUID ${id}`]),
        ...((attributes & 0x100) === 0 ? [`component ${name} is not 64-bit`] : []),
        ...(hasKeyPath ? [] : [`component ${name} has no key path ${keyPath}`]),
      ];
    }),
  ];
}

/** ICE04, ICE30, ICE60. */
function files(tables: MsiTables): string[] {
  const rows = rowsOf(tables, "File");
  const sequence = rows.map((row) => Number(row["Sequence"])).toSorted((a, b) => a - b);
  const isComplete = sequence.every((number, at) => number === at + 1);
  const [media] = rowsOf(tables, "Media");
  const directories = new Map(
    rowsOf(tables, "Component").map((row) => [row["Component"], row["Directory_"]]),
  );
  const hashed = new Set(valuesOf(tables, "MsiFileHash", "File_"));
  const places = new Set<string>();
  const found = rows.flatMap((row) => {
    const { File: key = "", FileName: name = "", Version: version = "" } = row;
    const [short = ""] = name.split("|");
    const place = `${directories.get(row["Component_"] ?? "")} ${short.toUpperCase()}`;
    const isTaken = places.has(place);
    places.add(place);
    return [
      ...(isShort(short) ? [] : [`file ${name} has no short name`]),
      ...(isTaken ? [`two files are ${place}`] : []),
      ...(version !== "" || hashed.has(key) ? [] : [`file ${name} has neither version nor hash`]),
      ...(version === "" || row["Language"] !== "" ? [] : [`file ${name} has no language`]),
    ];
  });
  const names = valuesOf(tables, "Directory", "DefaultDir")
    .map((name) => name.split("|")[0] ?? "")
    .filter((name) => name !== "." && name !== "SourceDir" && !isShort(name));
  return [
    ...(isComplete ? [] : ["File.Sequence has holes"]),
    ...(Number(media?.["LastSequence"]) === rows.length ? [] : ["Media.LastSequence is wrong"]),
    ...found,
    ...names.map((name) => `directory ${name} has no short name`),
  ];
}

function isShort(name: string): boolean {
  return /^[\w~-]{1,8}(\.[\w~-]{1,3})?$/.test(name);
}

/** The order of the standard actions, as Microsoft documents it. */
const standardOrder = [
  "FindRelatedProducts",
  "AppSearch",
  "LaunchConditions",
  "ValidateProductID",
  "CostInitialize",
  "FileCost",
  "CostFinalize",
  "MigrateFeatureStates",
  "InstallValidate",
  "InstallInitialize",
  "RemoveExistingProducts",
  "ProcessComponents",
  "UnpublishFeatures",
  "StopServices",
  "DeleteServices",
  "RemoveRegistryValues",
  "RemoveEnvironmentStrings",
  "RemoveFiles",
  "RemoveFolders",
  "CreateFolders",
  "InstallFiles",
  "WriteRegistryValues",
  "WriteEnvironmentStrings",
  "InstallServices",
  "StartServices",
  "RegisterUser",
  "RegisterProduct",
  "PublishFeatures",
  "PublishProduct",
  "InstallFinalize",
];

function placesIn(tables: MsiTables, name: string): Map<string, number> {
  return new Map(rowsOf(tables, name).map((row) => [row["Action"] ?? "", Number(row["Sequence"])]));
}

/** ICE12, ICE26, ICE63, ICE77, ICE82. */
function sequences(tables: MsiTables): string[] {
  const at = placesIn(tables, "InstallExecuteSequence");
  const missing = standardOrder.filter((action) => !at.has(action));
  const present = standardOrder.filter((action) => at.has(action));
  const swapped = present.filter(
    (action, index) => index > 0 && at.get(action)! <= at.get(present[index - 1]!)!,
  );
  const numbers = [...at.values()];
  const custom = new Set(valuesOf(tables, "CustomAction", "Action"));
  const unknown = [...at.keys()].filter(
    (action) => !standardOrder.includes(action) && !custom.has(action),
  );
  const afterStart = numbers
    .filter((number) => number > at.get("InstallInitialize")!)
    .toSorted((a, b) => a - b);
  return [
    ...missing.map((action) => `${action} is missing`),
    ...swapped.map((action) => `${action} is out of order`),
    ...(new Set(numbers).size === numbers.length ? [] : ["two actions have the same place"]),
    ...unknown.map((action) => `${action} is not an action`),
    ...(afterStart[0] === at.get("RemoveExistingProducts")
      ? []
      : ["RemoveExistingProducts is not the first action of the transaction"]),
  ];
}

/** What is set before costing must be set in both sequences: the second one keeps what the first one has made of INSTALLDIR. */
function userInterface(tables: MsiTables): string[] {
  const rows = (name: string) =>
    new Map(rowsOf(tables, name).map((row) => [row["Action"] ?? "", row]));
  const [first, second] = [rows("InstallUISequence"), rows("InstallExecuteSequence")];
  const at = (row: MsiRow | undefined) => Number(row?.["Sequence"]);
  const isSetting = ({ Type = "" }: MsiRow) => (Number(Type) & 0x3f) === 51;
  const secure = new Set(
    rowsOf(tables, "Property")
      .find((row) => row["Property"] === "SecureCustomProperties")
      ?.["Value"]?.split(";"),
  );
  return rowsOf(tables, "CustomAction")
    .filter((row) => isSetting(row) && secure.has(row["Source"] ?? ""))
    .flatMap(({ Action: name = "" }) => {
      const [one, other] = [first.get(name), second.get(name)];
      const isEarly =
        at(one) > at(first.get("AppSearch")) && at(one) < at(first.get("CostInitialize"));
      if (!isEarly)
        return [`${name} is not between AppSearch and CostInitialize of InstallUISequence`];
      return one?.["Condition"] === other?.["Condition"] ? [] : [`${name} has two conditions`];
    });
}

const [deferred, ofSystem, rollback] = [0x400, 0x800, 0x100];

/** ICE68, ICE72, ICE77. */
function actions(tables: MsiTables): string[] {
  const at = placesIn(tables, "InstallExecuteSequence");
  const [begin, end] = [at.get("InstallInitialize")!, at.get("InstallFinalize")!];
  const sources: Readonly<Record<number, readonly string[]>> = {
    1: valuesOf(tables, "Binary", "Name"),
    18: valuesOf(tables, "File", "File"),
  };
  return rowsOf(tables, "CustomAction").flatMap((row) => {
    const name = row["Action"] ?? "";
    const type = Number(row["Type"]);
    const place = at.get(name);
    if (place === undefined) return [`custom action ${name} is in no sequence`];
    const isInScript = place > begin && place < end;
    const known = sources[type & 0x3f];
    return [
      ...((type & deferred) !== 0 && !isInScript
        ? [`${name} is deferred and not in the script`]
        : []),
      ...((type & deferred) !== 0 && (type & ofSystem) === 0 ? [`${name} impersonates`] : []),
      ...((type & rollback) !== 0 && (type & deferred) === 0 ? [`${name} is not deferred`] : []),
      ...(known === undefined || known.includes(row["Source"] ?? "")
        ? []
        : [`${name} has no source ${row["Source"]}`]),
    ];
  });
}

/** ICE24, ICE46, ICE61, ICE79. */
function properties(tables: MsiTables): string[] {
  const values = new Map(
    rowsOf(tables, "Property").map((row) => [row["Property"], row["Value"] ?? ""]),
  );
  const required = ["ProductName", "ProductVersion", "ProductLanguage", "Manufacturer"];
  const secure = (values.get("SecureCustomProperties") ?? "").split(";");
  const found = [
    ...valuesOf(tables, "Upgrade", "ActionProperty"),
    ...valuesOf(tables, "AppSearch", "Property"),
  ];
  return [
    ...required.filter((name) => !values.get(name)).map((name) => `property ${name} is missing`),
    ...["ProductCode", "UpgradeCode"]
      .filter((name) => !guid.test(values.get(name) ?? ""))
      .map((name) => `property ${name} is not a GUID`),
    ...[...found, ...secure]
      .filter((name) => name !== name.toUpperCase() || !secure.includes(name))
      .map((name) => `property ${name} is not a secure one`),
    ...rowsOf(tables, "Upgrade")
      .filter((row) => row["UpgradeCode"] !== values.get("UpgradeCode"))
      .map((row) => `upgrade of ${row["UpgradeCode"]}`),
  ];
}
