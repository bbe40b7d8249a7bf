import { copyFileSync, mkdirSync, rmSync, utimesSync } from "node:fs";
import { basename, join } from "node:path";
import { makeNpmPackage, makeZip, writeChecksums } from "./archives.ts";
import { buildMsi } from "./msi/build.ts";
import { fetchNode, type NodeLine, nodeLines } from "./node-runtime.ts";
import { linkedPackages } from "./sbom.ts";
import { type Signing, signFile } from "./signing.ts";
import { makeStage } from "./stage.ts";

/** What a release is made of. */
export interface ReleaseOptions {
  /** Where it goes; emptied first. */
  readonly directory: string;
  /** Where scripts/build-windows.sh has put its binaries. */
  readonly windowsBuild: string;
  readonly node: NodeLine;
  readonly signing: Signing;
  /** Time of every file, in s since 1970. */
  readonly epochSeconds: number;
}

/** What was made. */
export interface Release {
  /** Paths of the files, in the order of their names. */
  readonly files: readonly string[];
  /** Names of the files that could be signed and are not. */
  readonly unsigned: readonly string[];
}

const binaries = ["certwire-exit.dll", "certwire-service.exe", "certwire.node", "certwire-msi.dll"];

/** Makes all files of a release; with the same sources, key and compilers the same bytes. */
export async function makeRelease(options: ReleaseOptions): Promise<Release> {
  const { directory, node: line, signing, epochSeconds } = options;
  const node = fetchNode(line);
  rmSync(directory, { recursive: true, force: true });
  const signed = join(directory, "binaries");
  mkdirSync(signed, { recursive: true });
  const unsigned: string[] = [];
  const sign = (path: string): void => {
    if (!signFile(path, signing, epochSeconds)) unsigned.push(basename(path));
  };
  for (const name of binaries) {
    const path = join(signed, name);
    copyFileSync(join(options.windowsBuild, name), path);
    sign(path);
  }
  copyFileSync(join(options.windowsBuild, linkedPackages), join(signed, linkedPackages));
  const stage = await makeStage({
    directory: join(directory, "stage"),
    windowsBuild: signed,
    node,
    epochSeconds,
  });
  const suffix = line === nodeLines[0] ? "" : `-node${line}`;
  const name = `certwire-${stage.version}${suffix}`;
  const zip = join(directory, `${name}-win-x64.zip`);
  makeZip(stage, zip);
  const msi = join(directory, `${name}-x64.msi`);
  buildMsi({
    stage: stage.directory,
    version: stage.version,
    actions: join(signed, "certwire-msi.dll"),
    output: msi,
    epochSeconds,
  });
  sign(msi);
  const sbom = join(directory, "sbom.cdx.json");
  copyFileSync(join(stage.directory, "sbom.cdx.json"), sbom);
  const files = [
    msi,
    zip,
    makeNpmPackage({ directory, binaries: signed, epochSeconds }),
    sbom,
  ].toSorted();
  writeChecksums(files);
  for (const file of files) utimesSync(file, epochSeconds, epochSeconds);
  return { files: [...files, join(directory, "SHA256SUMS")].toSorted(), unsigned };
}
