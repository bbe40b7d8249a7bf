import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

/** What the npm package is made of. */
export interface NpmPackageOptions {
  /** Where it goes. */
  readonly directory: string;
  /** Has the files that go into it in the place of those in prebuilds/win32-x64. */
  readonly binaries: string;
  /** Time of its files, in s since 1970. */
  readonly epochSeconds: number;
}

/** Packs the npm package; the path of its file. */
export function makeNpmPackage({ directory, binaries, epochSeconds }: NpmPackageOptions): string {
  const args = ["pack", "--json", "--pack-destination", directory];
  const output = execFileSync("npm", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const name = /"filename":\s*"([^"]+)"/.exec(output)?.[1];
  if (name === undefined) throw new Error(`npm pack named no file: ${output}`);
  const path = join(directory, name);
  const work = `${path}.work`;
  mkdirSync(work);
  try {
    execFileSync("tar", ["-xzf", path, "-C", work]);
    const prebuilds = join(work, "package", "prebuilds", "win32-x64");
    for (const file of readdirSync(prebuilds)) {
      copyFileSync(join(binaries, file), join(prebuilds, file));
    }
    // npm keeps the rights that the files of a checkout happen to have.
    const equal = ["--owner=0", "--group=0", "--mode=a=rX,u+w", `--mtime=@${epochSeconds}`];
    const archive = execFileSync(
      "tar",
      ["-C", work, "--sort=name", "--format=ustar", ...equal, "-cf", "-", "package"],
      { maxBuffer: 2 ** 30 },
    );
    writeFileSync(path, execFileSync("gzip", ["-9n"], { input: archive, maxBuffer: 2 ** 30 }));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return path;
}

/** Writes SHA256SUMS, which `sha256sum --check` reads, beside the files. */
export function writeChecksums(files: readonly string[]): void {
  const lines = files.toSorted().map((file) => `${sha256Of(file)}  ${basename(file)}\n`);
  writeFileSync(join(dirname(files[0] ?? ""), "SHA256SUMS"), lines.join(""));
}
