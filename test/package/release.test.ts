import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { makeRelease } from "../../scripts/release/release.ts";
import { type Signing, signingFrom } from "../../scripts/release/signing.ts";
import { filesOf } from "../../scripts/release/stage.ts";
import { runCommand } from "../integration/support/run-command.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { makeSigner } from "./support/signer.ts";
import { binaries, epochSeconds, windowsBinaries } from "./support/staged.ts";

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

test("outside a checkout the time of the sources has to be given", async () => {
  const main = join(import.meta.dirname, "../../scripts/release/main.js");
  const { SOURCE_DATE_EPOCH: _, ...env } = process.env;
  const directory = makeTempDirectory("no-checkout");
  await assert.rejects(
    runCommand(process.execPath, [main], {
      env: { ...env, GIT_CEILING_DIRECTORIES: "/" },
      directory,
    }),
    /release: outside a checkout of git set SOURCE_DATE_EPOCH$/,
  );
});

test("two builds are equal, one by the key, one by the signatures of the first", async () => {
  const signer = makeSigner();
  const one = await release(
    signingFrom({
      CERTWIRE_SIGN_CERT: signer.certificate,
      CERTWIRE_SIGN_KEY: signer.key,
      CERTWIRE_SIGN_PASSWORD_FILE: signer.passwordFile,
      CERTWIRE_SIGN_ROOT: signer.root,
    }),
  );
  const msi = `certwire-${version}-x64.msi`;
  const signatures = makeTempDirectory("signatures");
  for (const name of [...binaries, msi]) {
    const path = join(one.directory, name === msi ? name : `binaries/${name}`);
    const signature = join(signatures, `${name}.p7`);
    await runCommand("osslsigncode", ["extract-signature", "-in", path, "-out", signature]);
  }
  const two = await release(signingFrom({ CERTWIRE_SIGN_ROOT: signer.root }, signatures));
  for (const { unsigned } of [one, two]) assert.deepEqual(unsigned, []);

  const sums = readFileSync(join(one.directory, "SHA256SUMS"), "utf8");
  assert.equal(readFileSync(join(two.directory, "SHA256SUMS"), "utf8"), sums);
  const listed = sums.split("\n").flatMap((line) => line.split("  ")[1] ?? []);
  const zip = `certwire-${version}-win-x64.zip`;
  assert.deepEqual(listed, [zip, msi, `certwire-${version}.tgz`, "sbom.cdx.json"]);
  await runCommand("bash", ["-c", 'cd "$0" && sha256sum --check --strict', one.directory], {
    input: sums,
  });
  await checkContents(one.directory, signer.root);
});

/** The same signed files are in the tree, the zip and the MSI, and those of them that it has in the npm package. */
async function checkContents(directory: string, root: string): Promise<void> {
  const stage = join(directory, "stage");
  const equalToStage = (tree: string) => {
    assert.deepEqual(filesOf(tree), filesOf(stage));
    for (const file of filesOf(stage)) {
      assert.ok(readFileSync(join(tree, file)).equals(readFileSync(join(stage, file))), file);
    }
  };
  const unzipped = makeTempDirectory("unzipped");
  const zip = join(directory, `certwire-${version}-win-x64.zip`);
  await runCommand("unzip", ["-q", zip, "-d", unzipped]);
  assert.deepEqual(readdirSync(unzipped), [version]);
  equalToStage(join(unzipped, version));
  const msi = join(directory, `certwire-${version}-x64.msi`);
  const extracted = makeTempDirectory("extracted");
  await runCommand("msiextract", ["--directory", extracted, msi]);
  const dll = filesOf(extracted).find((file) => file.endsWith(`${version}/certwire-exit.dll`));
  equalToStage(dirname(join(extracted, dll ?? "")));

  const verify = async (path: string) =>
    runCommand("osslsigncode", ["verify", "-CAfile", root, "-in", path]);
  await verify(join(stage, "certwire-exit.dll"));
  await verify(join(stage, "certwire-service.exe"));
  await verify(join(stage, "app/prebuilds/win32-x64/certwire.node"));
  await assert.rejects(verify(join(stage, "node.exe")), "its signer is another one");
  await verify(msi);
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
}
