// Bundles the service into one file, so that nothing is resolved on a CA.
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { bundlePage, packageOf } from "../page-bundle.ts";

const packagePath = (name: string): string => resolve("node_modules", name);

/** A module that a bundler can follow, in the place of one that loads files of a package in another way. */
interface Replacement {
  readonly path: string;
  readonly package: string;
  readonly contents: () => string;
}

const replacements: readonly Replacement[] = [
  {
    path: "src/amqp/amqplib-inside.ts",
    package: "amqplib",
    contents: () => `
      export const amqplibVersion = () => ${JSON.stringify(versionOf("amqplib"))};
      export const connectionModule = () => require("./lib/connection.js");`,
  },
  {
    path: "src/kafka/kafkajs-inside.ts",
    package: "kafkajs",
    contents: () => `
      export const kafkajsVersion = () => ${JSON.stringify(versionOf("kafkajs"))};
      export const requestQueueModule = () => require("./src/network/requestQueue");`,
  },
  {
    path: "src/native/load-addon.ts",
    package: "node-gyp-build",
    contents: () => `export const loadAddon = (directory) => require("./index.js")(directory);`,
  },
];

/** The files of the status page are beside the bundle. */
const pageDirectory = {
  path: "src/http/page-directory.ts",
  contents: `export const pageDirectory = new URL("./page/", import.meta.url);`,
};

/** What an installation on a CA does not have; the code that imports it says so. */
const absent = [/\/simulate\/index\.ts$/, /^aws-msk-iam-sasl-signer-js$/];

function versionOf(name: string): string {
  const manifest = readFileSync(join(packagePath(name), "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

const plugin: Plugin = {
  name: "certwire",
  setup(builder) {
    for (const { path, package: name, contents } of replacements) {
      builder.onLoad({ filter: new RegExp(`/${path.replaceAll(".", "\\.")}$`) }, () => ({
        contents: contents(),
        loader: "js",
        resolveDir: packagePath(name),
      }));
    }
    builder.onLoad(
      { filter: new RegExp(`/${pageDirectory.path.replaceAll(".", "\\.")}$`) },
      () => ({
        contents: pageDirectory.contents,
        loader: "js",
      }),
    );
    for (const filter of absent) {
      builder.onResolve({ filter }, ({ path }) => ({ path, namespace: "absent" }));
    }
    builder.onLoad({ filter: /.*/, namespace: "absent" }, () => ({
      contents: `throw Object.assign(new Error("not part of this installation"), { code: "ERR_MODULE_NOT_FOUND" });`,
    }));
  },
};

/** An npm package inside the bundle or the status page. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** Bytes that come from it. */
  readonly bytes: number;
}

/** Builds the status page into a directory, and returns the npm packages inside, by name. */
export async function bundleStatusPage(directory: string): Promise<BundledPackage[]> {
  return packagesOf(await bundlePage(directory));
}

/**
 * Writes the bundle, one ESM file, and returns the npm packages inside, by name. Throws when the bundle would import
 * anything but modules of Node.js.
 */
export async function bundle(outfile: string): Promise<BundledPackage[]> {
  const { metafile } = await build({
    entryPoints: ["src/cli/main.ts"],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node22",
    // The file that `main` of jsonc-parser names requires others in a way that no bundler follows.
    mainFields: ["module", "main"],
    plugins: [plugin],
    // Some code tells errors apart by the names of their classes.
    keepNames: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    // Packages in CommonJS require modules of Node.js.
    banner: {
      js: 'import { createRequire as certwireCreateRequire } from "node:module";\nconst require = certwireCreateRequire(import.meta.url);',
    },
  });
  const [output] = Object.values(metafile.outputs);
  const foreign = output?.imports.filter(({ path }) => !isBuiltin(path)) ?? [];
  if (foreign.length > 0) {
    const names = foreign.map(({ path }) => path).join(", ");
    throw new Error(`the bundle would resolve ${names} on the CA`);
  }
  const bytes = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(output?.inputs ?? {})) {
    const name = packageOf(path);
    if (name !== undefined) bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput);
  }
  return packagesOf(bytes);
}

function packagesOf(bytes: ReadonlyMap<string, number>): BundledPackage[] {
  return [...bytes]
    .map(([name, size]) => ({ name, version: versionOf(name), bytes: size }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
