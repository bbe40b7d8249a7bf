// The tree of an installed version: what MSI and zip hold.
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type BundledPackage, bundle, bundleStatusPage } from "./bundle.ts";
import type { NodeRuntime } from "./node-runtime.ts";
import { notices } from "./notices.ts";
import { sbom } from "./sbom.ts";

/** What a tree is made of. */
export interface StageOptions {
  /** Where the tree goes; removed first. */
  readonly directory: string;
  /** Where scripts/build-windows.sh has put its binaries. */
  readonly windowsBuild: string;
  readonly node: NodeRuntime;
  /** Time of every file, in s since 1970. */
  readonly epochSeconds: number;
}

/** A tree, and the npm packages inside its bundle and its status page. */
export interface Stage {
  readonly directory: string;
  readonly version: string;
  readonly packages: readonly BundledPackage[];
}

/** Makes the tree of `%ProgramFiles%\Certwire\<version>`, the same bytes for the same sources. */
export async function makeStage(options: StageOptions): Promise<Stage> {
  const { directory, windowsBuild, node, epochSeconds } = options;
  const { name, version, license } = readManifest();
  rmSync(directory, { recursive: true, force: true });
  const place = (path: string): string => {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    return target;
  };
  const copy = (source: string, path: string): void => cpSync(source, place(path));
  /** For people, who may open it with any editor of Windows. */
  const write = (path: string, text: string): void =>
    writeFileSync(place(path), text.replaceAll(/\r?\n/g, "\r\n"));

  const bundled = await bundle(place("app/certwire.mjs"));
  const packages = [...bundled, ...(await bundleStatusPage(place("app/page")))].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  writeFileSync(
    place("app/package.json"),
    `${JSON.stringify({ name, version, license, private: true, type: "module" }, null, 2)}\n`,
  );
  copy(join(windowsBuild, "certwire.node"), "app/prebuilds/win32-x64/certwire.node");
  // `certwire explain` reads some of them, and other commands name them.
  for (const page of documentation()) copy(page, join("app", page));
  copy(join(windowsBuild, "certwire-exit.dll"), "certwire-exit.dll");
  copy(join(windowsBuild, "certwire-service.exe"), "certwire-service.exe");
  copy(node.executable, "node.exe");
  for (const file of configurationFiles) copy(join("config", file), join("config", file));
  write("certwire.cmd", '@"%~dp0node.exe" "%~dp0app\\certwire.mjs" %*\n');
  write("LICENSE.txt", readFileSync("LICENSE", "utf8"));
  write("LICENSE-node.txt", readFileSync(node.licence, "utf8"));
  // Those of the status page are in THIRD-PARTY-NOTICES.md, since the npm package has the page too.
  write("NOTICES.txt", notices(bundled));
  write("README.txt", readme(version));
  writeFileSync(place("sbom.cdx.json"), sbom({ packages, node, windowsBuild, epochSeconds }));
  equalize(directory, epochSeconds);
  return { directory, version, packages };
}

/** The pages that are installed. */
export function documentation(): string[] {
  return ["docs/explanation", "docs/how-to", "docs/reference"].flatMap((directory) =>
    filesOf(directory)
      .filter((page) => page.endsWith(".md"))
      .map((page) => join(directory, page)),
  );
}

const configurationFiles = [
  "certwire.example.jsonc",
  "kafka.example.jsonc",
  "rabbitmq.example.jsonc",
  "schema.json",
];

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

function readManifest(): Manifest {
  return JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
}

/** The files of a tree, by their paths in it, in a fixed order. */
export function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();
}

/** Gives all files the same time and rights: archives hold them. */
function equalize(directory: string, epochSeconds: number): void {
  for (const file of filesOf(directory)) {
    chmodSync(join(directory, file), 0o644);
    utimesSync(join(directory, file), epochSeconds, epochSeconds);
  }
}

function readme(version: string): string {
  return `Certwire ${version} publishes everything that a certification authority of AD CS does as events to Kafka or RabbitMQ.

  certwire-exit.dll      the exit module, which certsvc loads: regsvr32 registers it
  certwire-service.exe   runs the service as a Windows service: --help lists its options
  certwire.cmd           the command line: certwire --help
  node.exe               Node.js as the OpenJS Foundation signed it, which runs the service
  app                    the service, in one file, with its native addon and status page; app\\docs has the pages that its messages name
  config                 examples of the configuration, and its JSON Schema
  sbom.cdx.json          every part of this installation, in CycloneDX
  LICENSE.txt            the licence of Certwire; NOTICES.txt and LICENSE-node.txt have those of its parts

Nothing here is changed by the running service. Configuration, journal and state are in %ProgramData%\\Certwire.
`;
}
