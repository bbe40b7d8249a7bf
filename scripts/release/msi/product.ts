// The tables about the product: what it is called, what it replaces, where it may be installed, and its settings.
import type { Database } from "./database.ts";
import { guidOf, productVersionOf, upgradeCode } from "./identity.ts";
import { addComponent, installDirectory } from "./installed-files.ts";

const localMachine = 2;
const rawValue = 2;
const in64BitView = 16;

/** Where an installation leaves its settings for the next version. */
const settingsKey = "SOFTWARE\\Certwire\\Setup";

/** A property that the command line of msiexec may set. */
interface Setting {
  readonly property: string;
  /** Of the registry, where it is kept for the next version. */
  readonly valueName: string;
  /** Formatted text; undefined where the table Directory has the default. */
  readonly byDefault: string | undefined;
}

export const settings: readonly Setting[] = [
  { property: installDirectory, valueName: "InstallDirectory", byDefault: undefined },
  {
    property: "CONFIGFILE",
    valueName: "ConfigFile",
    byDefault: "[CommonAppDataFolder]Certwire\\config\\certwire.jsonc",
  },
  {
    property: "SERVICEACCOUNT",
    valueName: "ServiceAccount",
    byDefault: "NT SERVICE\\Certwire",
  },
];

/** The property with the value of the installed version. */
export function previous({ property }: Setting): string {
  return `PREVIOUS${property}`;
}

/** Set when an older version is installed. */
const olderVersionFound = "OLDERVERSIONFOUND";
const newerVersionFound = "NEWERVERSIONFOUND";
const windowsMajorVersion = "WINDOWSMAJORVERSION";

/** Adds properties, the upgrade, searches, launch conditions and the settings that are kept. Returns the product code. */
export function addProduct(database: Database, version: string): string {
  const productCode = guidOf(`product ${version}`);
  addProperties(database, version, productCode);
  addUpgrade(database, version);
  addSearches(database);
  database.add(
    "LaunchCondition",
    {
      Condition: `NOT ${newerVersionFound}`,
      Description:
        "A newer version of Certwire is installed. Remove it first: journal, state and configuration stay.",
    },
    {
      Condition: `Installed OR (VersionNT64 AND ${windowsMajorVersion})`,
      Description: "Certwire needs Windows Server 2016 or later on x64.",
    },
    {
      Condition: "Installed OR Privileged",
      Description: "Certwire is installed by an administrator.",
    },
  );
  addKeptSettings(database);
  return productCode;
}

function addProperties(database: Database, version: string, productCode: string): void {
  // These alone reach the part of an installation that runs with elevated rights.
  const secure = [
    ...settings.flatMap((setting) => [setting.property, previous(setting)]),
    newerVersionFound,
    olderVersionFound,
    windowsMajorVersion,
    "STARTSERVICE",
  ];
  const properties = {
    ProductCode: productCode,
    ProductName: "Certwire",
    ProductVersion: productVersionOf(version),
    ProductLanguage: "1033",
    Manufacturer: "The Certwire authors",
    UpgradeCode: upgradeCode,
    ALLUSERS: "1",
    ARPNOMODIFY: "1",
    ARPNOREPAIR: "1",
    // The restart manager would stop certsvc, which holds the exit module.
    MSIRESTARTMANAGERCONTROL: "Disable",
    // A silent installation would restart the machine by itself.
    REBOOT: "ReallySuppress",
    SecureCustomProperties: secure.toSorted().join(";"),
  };
  for (const [Property, Value] of Object.entries(properties)) {
    database.add("Property", { Property, Value });
  }
}

function addUpgrade(database: Database, version: string): void {
  const [migrateFeatures, onlyDetect, includesMaximum] = [0x1, 0x2, 0x200];
  const productVersion = productVersionOf(version);
  database.add(
    "Upgrade",
    {
      UpgradeCode: upgradeCode,
      // A pre-release and its release have the same numbers and replace each other.
      VersionMax: productVersion,
      Attributes: migrateFeatures | includesMaximum,
      ActionProperty: olderVersionFound,
    },
    {
      UpgradeCode: upgradeCode,
      VersionMin: productVersion,
      Attributes: onlyDetect,
      ActionProperty: newerVersionFound,
    },
  );
}

function addSearches(database: Database): void {
  const search = (property: string, key: string, name: string): void => {
    const signature = `Search${name}`;
    database.add("AppSearch", { Property: property, Signature_: signature });
    database.add("RegLocator", {
      Signature_: signature,
      Root: localMachine,
      Key: key,
      Name: name,
      Type: rawValue | in64BitView,
    });
  };
  for (const setting of settings) search(previous(setting), settingsKey, setting.valueName);
  // Windows tells an MSI that it is Windows 8.1, whatever it is. This value is there since Windows 10.
  const windows = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
  search(windowsMajorVersion, windows, "CurrentMajorVersionNumber");
}

function addKeptSettings(database: Database): void {
  const component = "Settings";
  const [first] = settings;
  addComponent(database, {
    name: component,
    resource: "settings",
    directory: installDirectory,
    keyPath: { kind: "registry", key: first?.valueName ?? "" },
  });
  for (const { property, valueName } of settings) {
    database.add("Registry", {
      Registry: valueName,
      Root: localMachine,
      Key: settingsKey,
      Name: valueName,
      Value: `[${property}]`,
      Component_: component,
    });
  }
}
