import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NtExecutable, NtExecutableResource, Resource } from "resedit";

/** A file as it will be installed. */
export interface StagedFile {
  readonly name: string;
  /** Below the staged directory, with `/`. */
  readonly path: string;
  /** Where it is now. */
  readonly source: string;
  readonly bytes: number;
  /** Of its version resource, with four numbers; a file without one has a hash instead. */
  readonly version?: { readonly text: string; readonly language: number };
  /** The four 32-bit parts of its MD5 hash, by which Windows Installer sees whether it was changed. */
  readonly hash?: readonly number[];
}

/** A directory as it will be installed. */
export interface StagedDirectory {
  readonly name: string;
  /** Below the staged directory, with `/`; empty for itself. */
  readonly path: string;
  readonly files: readonly StagedFile[];
  readonly directories: readonly StagedDirectory[];
}

/** Reads what is to be installed. Throws at anything but files and directories. */
export function readStagedTree(root: string, path = ""): StagedDirectory {
  const entries = readdirSync(join(root, path), { withFileTypes: true }).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const below = (name: string) => (path === "" ? name : `${path}/${name}`);
  const other = entries.find((entry) => !entry.isFile() && !entry.isDirectory());
  if (other !== undefined) {
    throw new Error(`${join(root, below(other.name))} is neither a file nor a directory`);
  }
  return {
    name: path.split("/").at(-1) ?? "",
    path,
    files: entries.filter((entry) => entry.isFile()).map(({ name }) => readFile(root, below(name))),
    directories: entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => readStagedTree(root, below(name))),
  };
}

/** All files of a tree, those of a directory before those below it. */
export function filesOf(directory: StagedDirectory): StagedFile[] {
  return [...directory.files, ...directory.directories.flatMap(filesOf)];
}

function readFile(root: string, path: string): StagedFile {
  const source = join(root, path);
  const bytes = readFileSync(source);
  const staged = { name: path.split("/").at(-1) ?? "", path, source, bytes: bytes.length };
  const version = versionOf(bytes);
  if (version !== undefined) return { ...staged, version };
  // Of an empty file Windows Installer has no hash.
  const hash = bytes.length === 0 ? Buffer.alloc(16) : createHash("md5").update(bytes).digest();
  return { ...staged, hash: [0, 4, 8, 12].map((at) => hash.readInt32LE(at)) };
}

/** Version and language of an executable, as Windows Installer reads them; undefined without a version resource. */
function versionOf(bytes: Buffer): StagedFile["version"] {
  if (bytes.toString("latin1", 0, 2) !== "MZ") return undefined;
  const executable = NtExecutable.from(bytes, { ignoreCert: true });
  const resources = NtExecutableResource.from(executable, true);
  const [info] = Resource.VersionInfo.fromEntries(resources.entries);
  const [language] = info?.getAllLanguagesForStringValues() ?? [];
  if (info === undefined || language === undefined) return undefined;
  const { fileVersionMS, fileVersionLS } = info.fixedInfo;
  const halves = [fileVersionMS, fileVersionLS].flatMap((each) => [each >>> 16, each & 0xffff]);
  return { text: halves.join("."), language: language.lang };
}
