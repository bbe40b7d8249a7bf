import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

/** The files that read the variables that apply to all tests. */
const forAll = ["scale.ts", "until.ts"].map((name) => join("test", "support", name));

/** `NAME size` of each size that a test takes from the environment. */
function sizesOfTests(): string[] {
  return ["test", "examples"]
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
    )
    .filter((path) => path.endsWith(".ts") && !forAll.includes(path))
    .flatMap((path) => {
      const source = readFileSync(path, "utf8");
      const sizes = source.matchAll(/sizeFromEnvironment\("(\w+)", (?:scaled\()?(\d+)\)/g);
      return [...sizes].map(([, variable, size]) => `${variable} ${size}`);
    });
}

test("CONTRIBUTING lists every long form of a test, with its size in npm test", () => {
  const page = readFileSync("CONTRIBUTING.md", "utf8");
  const rows = [...page.matchAll(/^\| `(CERTWIRE_\w+)` \((\d+)\) \| [^|]+ \| `([^`]+)` \|$/gm)];
  const listed = new Set(rows.map(([, variable, size]) => `${variable} ${size}`));
  assert.deepEqual(listed, new Set(sizesOfTests()));
  for (const [, , , file = ""] of rows) {
    assert.ok(existsSync(file.replace(/js$/, "ts")), file);
  }
});
