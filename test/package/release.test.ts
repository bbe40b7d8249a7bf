import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { makeRelease } from "../../scripts/release/release.ts";
import { type Signing, signingFrom } from "../../scripts/release/signing.ts";
import { filesOf } from "../../scripts/release/stage.ts";
import { runCommand } from "../integration/support/run-command.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { makeSigner } from "./support/signer.ts";
import { epochSeconds, windowsBinaries } from "./support/staged.ts";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
let windowsBuild = "";

before(async () => {
  windowsBuild = await windowsBinaries();
});

async function release(signing: Signing) {
  const directory = join(makeTempDirectory("release"), "release");
  return {
    directory,
    ...(await makeRelease({ directory, windowsBuild, node: "24", signing, epochSeconds })),
  };
}

/** Unpacks the zip; the folder inside. */
async function unzipped(directory: string): Promise<string> {
  const target = makeTempDirectory("unzipped");
  const zip = join(directory, `certwire-${version}-win-x64.zip`);
  await runCommand("unzip", ["-q", zip, "-d", target]);
  assert.deepEqual(readdirSync(target), [version]);
  return join(target, version);
}

test("two builds are equal, and their checksums are right", async () => {
  const [one, two] = [await release({}), await release({})];
  const sums = readFileSync(join(one.directory, "SHA256SUMS"), "utf8");
  assert.equal(readFileSync(join(two.directory, "SHA256SUMS"), "utf8"), sums);
  const listed = sums.split("\n").flatMap((line) => line.split("  ")[1] ?? []);
  assert.deepEqual(listed, [
    `certwire-${version}-win-x64.zip`,
    `certwire-${version}-x64.msi`,
    `certwire-${version}.tgz`,
    "sbom.cdx.json",
  ]);
  await runCommand("bash", ["-c", 'cd "$0" && sha256sum --check --strict', one.directory], {
    input: sums,
  });
  assert.deepEqual(one.unsigned, [
    "certwire-exit.dll",
    "certwire-service.exe",
    "certwire.node",
    "certwire-msi.dll",
    `certwire-${version}-x64.msi`,
  ]);
});

test("a signed release holds the signed binaries in every file, and node.exe as it was", async () => {
  const signer = makeSigner();
  const prebuild = readFileSync("prebuilds/win32-x64/certwire.node");
  const signing = signingFrom({
    CERTWIRE_SIGN_CERT: signer.certificate,
    CERTWIRE_SIGN_KEY: signer.key,
    CERTWIRE_SIGN_PASSWORD_FILE: signer.passwordFile,
    CERTWIRE_SIGN_ROOT: signer.root,
  });
  const { directory, unsigned } = await release(signing);
  assert.deepEqual(unsigned, []);
  const tree = await unzipped(directory);
  const stage = join(directory, "stage");
  assert.deepEqual(filesOf(tree), filesOf(stage));
  for (const file of filesOf(stage)) {
    assert.ok(readFileSync(join(tree, file)).equals(readFileSync(join(stage, file))), file);
  }
  const verify = async (path: string) =>
    runCommand("osslsigncode", ["verify", "-CAfile", signer.root, "-in", path]);
  await verify(join(tree, "certwire-exit.dll"));
  await verify(join(tree, "certwire-service.exe"));
  await verify(join(tree, "app/prebuilds/win32-x64/certwire.node"));
  await assert.rejects(verify(join(tree, "node.exe")));
  const msi = join(directory, `certwire-${version}-x64.msi`);
  await verify(msi);
  const extracted = makeTempDirectory("extracted");
  await runCommand("msiextract", ["--directory", extracted, msi]);
  const dll = filesOf(extracted).find((file) => file.endsWith("/certwire-exit.dll"));
  await verify(join(extracted, dll ?? ""));
  const changed = `${msi}.changed`;
  const bytes = readFileSync(msi);
  // Within the cabinet, by far the largest part.
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  writeFileSync(changed, bytes);
  await assert.rejects(verify(changed));
  const target = makeTempDirectory("package");
  const tarball = join(directory, `certwire-${version}.tgz`);
  await runCommand("tar", ["-xzf", tarball, "-C", target, "package/prebuilds"]);
  for (const name of ["certwire.node", "certwire-service.exe"]) {
    await verify(join(target, "package/prebuilds/win32-x64", name));
  }
  assert.ok(readFileSync("prebuilds/win32-x64/certwire.node").equals(prebuild));
});
