import type { TableSchema } from "./table.ts";

const sequence: TableSchema = {
  columns: { Action: "s72", Condition: "S255", Sequence: "I2" },
  keys: 1,
};

/** The tables of Windows Installer that the MSI has, in the order in which they are imported. */
export const schemas = {
  Property: { columns: { Property: "s72", Value: "l0" }, keys: 1 },
  Directory: {
    columns: { Directory: "s72", Directory_Parent: "S72", DefaultDir: "l255" },
    keys: 1,
  },
  Component: {
    columns: {
      Component: "s72",
      ComponentId: "S38",
      Directory_: "s72",
      Attributes: "i2",
      Condition: "S255",
      KeyPath: "S72",
    },
    keys: 1,
  },
  File: {
    columns: {
      File: "s72",
      Component_: "s72",
      FileName: "l255",
      FileSize: "i4",
      Version: "S72",
      Language: "S20",
      Attributes: "I2",
      Sequence: "i4",
    },
    keys: 1,
  },
  MsiFileHash: {
    columns: {
      File_: "s72",
      Options: "i2",
      HashPart1: "i4",
      HashPart2: "i4",
      HashPart3: "i4",
      HashPart4: "i4",
    },
    keys: 1,
  },
  Feature: {
    columns: {
      Feature: "s38",
      Feature_Parent: "S38",
      Title: "L64",
      Description: "L255",
      Display: "I2",
      Level: "i2",
      Directory_: "S72",
      Attributes: "i2",
    },
    keys: 1,
  },
  FeatureComponents: { columns: { Feature_: "s38", Component_: "s72" }, keys: 2 },
  Media: {
    columns: {
      DiskId: "i2",
      LastSequence: "i4",
      DiskPrompt: "L64",
      Cabinet: "S255",
      VolumeLabel: "S32",
      Source: "S72",
    },
    keys: 1,
  },
  Registry: {
    columns: {
      Registry: "s72",
      Root: "i2",
      Key: "l255",
      Name: "L255",
      Value: "L0",
      Component_: "s72",
    },
    keys: 1,
  },
  CreateFolder: { columns: { Directory_: "s72", Component_: "s72" }, keys: 2 },
  RemoveFile: {
    columns: {
      FileKey: "s72",
      Component_: "s72",
      FileName: "L255",
      DirProperty: "s72",
      InstallMode: "i2",
    },
    keys: 1,
  },
  Environment: {
    columns: { Environment: "s72", Name: "l255", Value: "L255", Component_: "s72" },
    keys: 1,
  },
  ServiceInstall: {
    columns: {
      ServiceInstall: "s72",
      Name: "s255",
      DisplayName: "L255",
      ServiceType: "i4",
      StartType: "i4",
      ErrorControl: "i4",
      LoadOrderGroup: "S255",
      Dependencies: "S255",
      StartName: "S255",
      Password: "S255",
      Arguments: "S255",
      Component_: "s72",
      Description: "L255",
    },
    keys: 1,
  },
  ServiceControl: {
    columns: {
      ServiceControl: "s72",
      Name: "l255",
      Event: "i2",
      Arguments: "L255",
      Wait: "I2",
      Component_: "s72",
    },
    keys: 1,
  },
  AppSearch: { columns: { Property: "s72", Signature_: "s72" }, keys: 2 },
  RegLocator: {
    columns: { Signature_: "s72", Root: "i2", Key: "s255", Name: "S255", Type: "I2" },
    keys: 1,
  },
  Upgrade: {
    columns: {
      UpgradeCode: "s38",
      VersionMin: "S20",
      VersionMax: "S20",
      Language: "S255",
      Attributes: "i4",
      Remove: "S255",
      ActionProperty: "s72",
    },
    keys: 5,
  },
  LaunchCondition: { columns: { Condition: "s255", Description: "l255" }, keys: 1 },
  Binary: { columns: { Name: "s72", Data: "v0" }, keys: 1 },
  CustomAction: {
    columns: { Action: "s72", Type: "i2", Source: "S72", Target: "S255", ExtendedType: "I4" },
    keys: 1,
  },
  InstallExecuteSequence: sequence,
  InstallUISequence: sequence,
  AdminExecuteSequence: sequence,
  AdminUISequence: sequence,
  AdvtExecuteSequence: sequence,
} satisfies Record<string, TableSchema>;

export type TableName = keyof typeof schemas;
