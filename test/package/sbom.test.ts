import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import type { Stage } from "../../scripts/release/stage.ts";
import { runCommand } from "../integration/support/run-command.ts";
import { stagedTree } from "./support/staged.ts";

interface Component {
  readonly "bom-ref": string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly object[];
}

interface Bill {
  readonly components: readonly Component[];
  readonly dependencies: readonly {
    readonly ref: string;
    readonly dependsOn?: readonly string[];
  }[];
}

let stage: Stage;
let bill: Bill;

before(async () => {
  stage = await stagedTree("24");
  bill = JSON.parse(readFileSync(join(stage.directory, "sbom.cdx.json"), "utf8")) as Bill;
});

/** Reads a schema of the library that CycloneDX publishes. */
function schema(name: string): object {
  let root = dirname(fileURLToPath(import.meta.resolve("@cyclonedx/cyclonedx-library")));
  while (!existsSync(join(root, "res"))) root = dirname(root);
  const path = join(root, "res", "schema", `${name}.SNAPSHOT.schema.json`);
  return JSON.parse(readFileSync(path, "utf8")) as object;
}

test("the bill of materials is valid CycloneDX 1.6", () => {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
  addFormats.default(ajv);
  for (const name of ["iri-reference", "idn-email"]) ajv.addFormat(name, true);
  for (const name of ["spdx", "jsf-0.82", "cryptography-defs"]) {
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  }
  const validate = ajv.compile(schema("bom-1.6"));
  assert.ok(validate(bill), JSON.stringify(validate.errors, null, 2));
  assert.equal(validate({ ...bill, bomFormat: "SPDX" }), false, "the schema is applied");
});

/** What is inside the built status page, and therefore needed for building only. */
const ofPage = ["preact", "uplot"];

test("its npm packages are those inside the service and its page, as package-lock.json has them", () => {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Record<
      string,
      { version: string; integrity: string; dev?: boolean; license: string }
    >;
  };
  const locked = stage.packages.map(({ name }) => {
    const entry = lock.packages[`node_modules/${name}`];
    assert.ok(
      entry !== undefined && entry.dev === (ofPage.includes(name) || undefined),
      `${name} is a dependency of the package`,
    );
    return [name, entry.version, entry.integrity, entry.license];
  });
  const npm = bill.components.filter(
    ({ purl, name }) =>
      purl.startsWith("pkg:npm/") && !["node.exe", "node-addon-api"].includes(name),
  );
  const listed = npm.map(({ group, name, version, hashes, licenses }) => [
    group === undefined ? name : `${group}/${name}`,
    version,
    `sha512-${Buffer.from(hashes?.[0]?.content ?? "", "hex").toString("base64")}`,
    (licenses[0] as { license: { id: string } }).license.id,
  ]);
  assert.deepEqual(listed, locked);
});

test("it has node.exe with the hash of the file, and what the compiler has linked with package, version and architecture", async () => {
  const others = bill.components.slice(stage.packages.length);
  assert.deepEqual(
    others.map(({ name }) => name),
    ["node.exe", "libstdc++", "libgcc", "mingw-w64 runtime", "winpthreads", "node-addon-api"],
  );
  const sum = await runCommand("sha256sum", [join(stage.directory, "node.exe")]);
  assert.deepEqual(others[0]?.hashes, [
    { alg: "SHA-256", content: sum.toString().split(" ", 1)[0] },
  ]);
  for (const [at, name, architecture] of [
    [1, "g++-mingw-w64-x86-64-posix", "amd64"],
    [2, "gcc-mingw-w64-x86-64-posix", "amd64"],
    [3, "mingw-w64-x86-64-dev", "all"],
    [4, "mingw-w64-x86-64-dev", "all"],
  ] as const) {
    const version = (await runCommand("dpkg-query", ["-W", "-f=${Version}", name])).toString();
    assert.equal(others[at]?.version, version);
    const encoded = [name, version].map(encodeURIComponent).join("@");
    assert.equal(others[at]?.purl, `pkg:deb/debian/${encoded}?arch=${architecture}`);
  }
});

test("every part is in its graph once, and depends on parts that are there", () => {
  const refs = bill.components.map((component) => component["bom-ref"]);
  assert.equal(new Set(refs).size, refs.length);
  const [root, ...rest] = bill.dependencies;
  assert.deepEqual(
    rest.map(({ ref }) => ref),
    refs,
  );
  const reached = new Set(root?.dependsOn);
  for (const ref of reached) {
    for (const next of rest.find((each) => each.ref === ref)?.dependsOn ?? []) reached.add(next);
  }
  assert.deepEqual([...reached].toSorted(), refs.toSorted());
});
