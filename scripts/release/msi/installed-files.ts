// The tables about files: directories, components, files and their order in the cabinet.
import type { Database } from "./database.ts";
import { guidOf, identifierOf } from "./identity.ts";
import { ShortNames } from "./short-names.ts";
import { filesOf, type StagedDirectory, type StagedFile } from "./staged-tree.ts";

/** The one feature, which has every component. */
export const feature = "Complete";

const is64Bit = 0x100;
const keyPathIsRegistryValue = 0x4;
const isTransitive = 0x40;
const isVital = 0x200;

/** A component, which Windows Installer installs and removes as a whole. */
interface ComponentOptions {
  readonly name: string;
  /** The GUID comes from this name, which stands for one place on a disk or in the registry, for ever. */
  readonly resource: string;
  readonly directory: string;
  /** It is installed if this holds, which a repair evaluates again; default always. */
  readonly condition?: string;
  /** The file, or the registry value, that shows whether it is installed; default its directory. */
  readonly keyPath?: { readonly kind: "file" | "registry"; readonly key: string };
}

/** Adds a component to the feature. */
export function addComponent(database: Database, options: ComponentOptions): void {
  const { name, resource, directory, condition, keyPath } = options;
  database.add("Component", {
    Component: name,
    ComponentId: guidOf(`component ${resource}`),
    Directory_: directory,
    Attributes:
      is64Bit |
      (keyPath?.kind === "registry" ? keyPathIsRegistryValue : 0) |
      (condition === undefined ? 0 : isTransitive),
    Condition: condition,
    KeyPath: keyPath?.key,
  });
  database.add("FeatureComponents", { Feature_: feature, Component_: name });
  if (keyPath === undefined) {
    database.add("CreateFolder", { Directory_: directory, Component_: name });
  }
}

/** Keys that other tables name, by the path of the file in the folder of the version. */
const named: Readonly<Record<string, string>> = {
  "node.exe": "NodeExe",
  "certwire-service.exe": "ServiceExe",
  "certwire-exit.dll": "ExitModuleDll",
};

/** Directories that other tables name. */
export const installDirectory = "INSTALLDIR";
export const versionDirectory = "VersionDir";

/** Where things are: the tree of INSTALLDIR, and the name of the folder of the version in it. */
export interface InstalledTree {
  readonly root: StagedDirectory;
  readonly version: string;
}

/** A file and its key, by which the cabinet names it. */
export interface CabinetMember {
  readonly key: string;
  readonly file: StagedFile;
}

/** Adds all directories and files; the members of the cabinet, in their order. */
export function addFiles(database: Database, tree: InstalledTree): CabinetMember[] {
  database.add(
    "Directory",
    { Directory: "TARGETDIR", DefaultDir: "SourceDir" },
    { Directory: "ProgramFiles64Folder", Directory_Parent: "TARGETDIR", DefaultDir: "." },
    {
      Directory: installDirectory,
      Directory_Parent: "ProgramFiles64Folder",
      DefaultDir: "Certwire",
    },
  );
  const names = new Map(
    Object.entries(named).map(([name, key]) => [`${tree.version}/${name}`, key]),
  );
  const members = filesOf(tree.root).map((file) => ({
    key: names.get(file.path) ?? identifierOf("f", file.path),
    file,
  }));
  const missing = Object.keys(named).filter(
    (name) => !members.some(({ key }) => key === named[name]),
  );
  if (missing.length > 0) throw new Error(`the staged tree lacks ${missing.join(", ")}`);
  addDirectory(database, tree, tree.root, installDirectory, new Map(members.map(numbered)));
  database.add("Feature", {
    Feature: feature,
    Title: "Certwire",
    Display: 1,
    Level: 1,
    Directory_: installDirectory,
    Attributes: 0x10, // cannot be deselected
  });
  database.add("Media", { DiskId: 1, LastSequence: members.length, Cabinet: "#certwire.cab" });
  return members;
}

type Numbered = ReadonlyMap<StagedFile, { readonly key: string; readonly sequence: number }>;

function numbered({ key, file }: CabinetMember, at: number) {
  return [file, { key, sequence: at + 1 }] as const;
}

function addDirectory(
  database: Database,
  tree: InstalledTree,
  directory: StagedDirectory,
  key: string,
  places: Numbered,
): void {
  const names = new ShortNames();
  for (const file of directory.files) {
    const place = places.get(file);
    if (place !== undefined) addFile(database, file, names.fileName(file.name), key, place);
  }
  for (const below of directory.directories) {
    const belowKey = below.path === tree.version ? versionDirectory : identifierOf("d", below.path);
    database.add("Directory", {
      Directory: belowKey,
      Directory_Parent: key,
      DefaultDir: names.fileName(below.name),
    });
    addDirectory(database, tree, below, belowKey, places);
  }
}

function addFile(
  database: Database,
  { path, bytes, version, hash }: StagedFile,
  fileName: string,
  directory: string,
  { key, sequence }: { readonly key: string; readonly sequence: number },
): void {
  // A component of its own for each file: so each file is repaired and removed by itself.
  const component = `c_${key}`;
  addComponent(database, {
    name: component,
    resource: path,
    directory,
    keyPath: { kind: "file", key },
  });
  database.add("File", {
    File: key,
    Component_: component,
    FileName: fileName,
    FileSize: bytes,
    Version: version?.text,
    Language: version === undefined ? undefined : String(version.language),
    Attributes: isVital,
    Sequence: sequence,
  });
  if (hash === undefined) return;
  const [HashPart1, HashPart2, HashPart3, HashPart4] = hash;
  database.add("MsiFileHash", {
    File_: key,
    Options: 0,
    HashPart1,
    HashPart2,
    HashPart3,
    HashPart4,
  });
}
