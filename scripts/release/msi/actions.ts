// The tables about what happens in which order.
import type { Database } from "./database.ts";
import { previous, settings } from "./product.ts";
import { isServiceStarted } from "./system.ts";

/** What a custom action runs, and how it is run. */
const type = {
  dllInBinary: 1,
  installedProgram: 18,
  programOfProperty: 50,
  setProperty: 51,
  mayFail: 64,
  isRollback: 0x100,
  isDeferred: 0x400,
  isOfSystem: 0x800,
} as const;

const deferred = type.isDeferred | type.isOfSystem;
const rollback = deferred | type.isRollback | type.mayFail;

/** A row of a sequence: an action, its place, and when it runs; default always. */
type Step = readonly [action: string, sequence: number, condition?: string];

const firstInstallation = "NOT Installed";
const notRemoved = "NOT REMOVE";
const removed = 'REMOVE="ALL"';

/** The name of the DLL of custom actions in the table Binary. */
export const actionsDll = "CertwireMsi";

/** Adds custom actions and sequences. */
export function addActions(database: Database): void {
  const defaults = addPropertyActions(database);
  addCustomActions(database);
  const execute: readonly Step[] = [
    ["ReadServiceState", 20, notRemoved],
    ["FindRelatedProducts", 25],
    ["AppSearch", 50],
    ...defaults,
    ["LaunchConditions", 100],
    ["ValidateProductID", 700],
    ["CostInitialize", 800],
    ["FileCost", 900],
    ["CostFinalize", 1000],
    ["SetInstallLocation", 1010],
    ["MigrateFeatureStates", 1200],
    ["InstallValidate", 1400],
    ["InstallInitialize", 1500],
    // In the transaction: when an upgrade fails, the old version comes back.
    ["RemoveExistingProducts", 1510],
    ["ProcessComponents", 1600],
    ["UnpublishFeatures", 1800],
    ["StopServices", 1900],
    ["RegisterAgain", 1940, removed],
    ["Unregister", 1950, `${removed} AND NOT UPGRADINGPRODUCTCODE`],
    ["DeleteServices", 2000],
    ["SetWaitForPrograms", 2010, removed],
    ["WaitForPrograms", 2020, removed],
    ["RemoveRegistryValues", 2600],
    ["RemoveEnvironmentStrings", 3300],
    ["RemoveFiles", 3500],
    ["RemoveFolders", 3600],
    ["CreateFolders", 3700],
    ["InstallFiles", 4000],
    ["UndoRegister", 4010, firstInstallation],
    ["Register", 4020, notRemoved],
    ["WriteRegistryValues", 5000],
    ["WriteEnvironmentStrings", 5200],
    ["InstallServices", 5800],
    ["ConfigureService", 5810, notRemoved],
    ["CheckConfiguration", 5820, `(${isServiceStarted}) AND ${notRemoved}`],
    ["StartServices", 5900],
    ["RegisterUser", 6000],
    ["RegisterProduct", 6100],
    ["PublishFeatures", 6300],
    ["PublishProduct", 6400],
    ["InstallFinalize", 6600],
  ];
  addSteps(database, "InstallExecuteSequence", execute);
  addOtherSequences(database);
}

/** Actions that set properties: a value of the command line wins over that of the version before, and that over the default. */
function addPropertyActions(database: Database): Step[] {
  const steps: Step[] = [];
  const add = (action: string, property: string, value: string, condition?: string): void => {
    database.add("CustomAction", {
      Action: action,
      Type: type.setProperty,
      Source: property,
      Target: value,
    });
    if (condition !== undefined) steps.push([action, 51 + steps.length, condition]);
  };
  for (const setting of settings) {
    const { property, valueName, byDefault } = setting;
    const isMissing = `NOT ${property}`;
    add(
      `Keep${valueName}`,
      property,
      `[${previous(setting)}]`,
      `${isMissing} AND ${previous(setting)}`,
    );
    if (byDefault !== undefined) add(`Default${valueName}`, property, byDefault, isMissing);
  }
  add("SetRegsvr32", "REGSVR32", "[System64Folder]regsvr32.exe", "1");
  add("SetCommandShell", "COMMANDSHELL", "[System64Folder]cmd.exe", "1");
  add("SetInstallLocation", "ARPINSTALLLOCATION", "[VersionDir]");
  // What the deferred action gets.
  add("SetWaitForPrograms", "WaitForPrograms", "[VersionDir]");
  return steps;
}

const check =
  '"[VersionDir]node.exe" "[VersionDir]app\\certwire.mjs" check --offline --config "[CONFIGFILE]"';

function addCustomActions(database: Database): void {
  const regsvr32 = (Action: string, arguments_: string, flags: number): void => {
    database.add("CustomAction", {
      Action,
      Type: type.programOfProperty | flags,
      Source: "REGSVR32",
      Target: `${arguments_} "[VersionDir]certwire-exit.dll"`,
    });
  };
  // A rollback runs backwards: what undoes a step comes before it.
  regsvr32("UndoRegister", "/u /s", rollback);
  regsvr32("Register", "/s", deferred);
  // An upgrade leaves the registration to the new version, so that there always is one.
  regsvr32("Unregister", "/u /s", deferred | type.mayFail);
  // When a removal fails, or the upgrade that it is part of, this version is the registered one again.
  regsvr32("RegisterAgain", "/s", rollback);
  database.add(
    "CustomAction",
    {
      Action: "ReadServiceState",
      Type: type.dllInBinary,
      Source: actionsDll,
      Target: "ReadServiceState",
    },
    {
      Action: "WaitForPrograms",
      Type: type.dllInBinary | deferred | type.mayFail,
      Source: actionsDll,
      Target: "WaitForPrograms",
    },
    {
      Action: "ConfigureService",
      Type: type.installedProgram | deferred,
      Source: "ServiceExe",
      Target: "--configure",
    },
    {
      Action: "CheckConfiguration",
      Type: type.programOfProperty | deferred,
      Source: "COMMANDSHELL",
      // Windows Installer gives a program no standard output, and the check fails if it cannot write.
      Target: `/d /s /c "${check} < NUL > NUL 2>&1"`,
    },
  );
}

function addOtherSequences(database: Database): void {
  const costing: readonly Step[] = [
    ["CostInitialize", 800],
    ["FileCost", 900],
    ["CostFinalize", 1000],
  ];
  const finish: Step = ["InstallFinalize", 6600];
  const validate: readonly Step[] = [
    ["InstallValidate", 1400],
    ["InstallInitialize", 1500],
  ];
  addSteps(database, "InstallUISequence", [
    ["FindRelatedProducts", 25],
    ["AppSearch", 50],
    ["LaunchConditions", 100],
    ["ValidateProductID", 700],
    ...costing,
    ["MigrateFeatureStates", 1200],
    ["ExecuteAction", 1300],
  ]);
  addSteps(database, "AdminUISequence", [...costing, ["ExecuteAction", 1300]]);
  addSteps(database, "AdminExecuteSequence", [
    ...costing,
    ...validate,
    ["InstallAdminPackage", 3900],
    ["InstallFiles", 4000],
    finish,
  ]);
  addSteps(database, "AdvtExecuteSequence", [
    ["CostInitialize", 800],
    ["CostFinalize", 1000],
    ...validate,
    ["PublishFeatures", 6300],
    ["PublishProduct", 6400],
    finish,
  ]);
}

type SequenceName =
  | "InstallExecuteSequence"
  | "InstallUISequence"
  | "AdminExecuteSequence"
  | "AdminUISequence"
  | "AdvtExecuteSequence";

function addSteps(database: Database, table: SequenceName, steps: readonly Step[]): void {
  for (const [Action, Sequence, Condition] of steps) {
    database.add(table, { Action, Condition, Sequence });
  }
}
