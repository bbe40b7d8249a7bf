import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { sha256Of } from "./node-runtime.ts";
import { filesOf, type Stage } from "./stage.ts";

/** Makes the zip, whose only folder is named by the version: unpacked in `%ProgramFiles%\Certwire` it is installed. */
export function makeZip({ directory, version }: Stage, path: string): void {
  const work = `${path}.work`;
  rmSync(work, { recursive: true, force: true });
  rmSync(path, { force: true });
  mkdirSync(work);
  try {
    symlinkSync(resolve(directory), join(work, version));
    const names = filesOf(directory).map((file) => join(version, file));
    // Without users and the times of Unix, and with the local time of UTC, the bytes depend on the tree only.
    execFileSync("zip", ["-X", "-q", resolve(path), "-@"], {
      cwd: work,
      env: { ...process.env, TZ: "UTC" },
      input: `${names.join("\n")}\n`,
    });
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Packs the npm package, with binaries from a directory in the place of those in prebuilds; the path of its file. */
export function makeNpmPackage(directory: string, binaries: string): string {
  const prebuilds = "prebuilds/win32-x64";
  const built = readdirSync(prebuilds).map((name) => {
    const path = join(prebuilds, name);
    return { path, bytes: readFileSync(path), replacement: readFileSync(join(binaries, name)) };
  });
  try {
    for (const { path, replacement } of built) writeFileSync(path, replacement);
    return pack(directory);
  } finally {
    for (const { path, bytes } of built) writeFileSync(path, bytes);
  }
}

function pack(directory: string): string {
  const args = ["pack", "--json", "--pack-destination", directory];
  const output = execFileSync("npm", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const name = /"filename":\s*"([^"]+)"/.exec(output)?.[1];
  if (name === undefined) throw new Error(`npm pack named no file: ${output}`);
  return join(directory, name);
}

/** Writes SHA256SUMS, which `sha256sum --check` reads, beside the files. */
export function writeChecksums(files: readonly string[]): void {
  const lines = files.toSorted().map((file) => `${sha256Of(file)}  ${basename(file)}\n`);
  writeFileSync(join(dirname(files[0] ?? ""), "SHA256SUMS"), lines.join(""));
}
