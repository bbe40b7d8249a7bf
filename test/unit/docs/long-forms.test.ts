import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

/** `NAME size file` of each size that a test takes from the environment. */
function sizesOfTests(): string[] {
  return readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .flatMap((name) => {
      const source = readFileSync(join("test", name), "utf8");
      const sizes = source.matchAll(/sizeFromEnvironment\("(\w+)", (?:scaled\()?(\d+)\)/g);
      return [...sizes].map(
        ([, variable, size]) => `${variable} ${size} test/${name.replace(/ts$/, "js")}`,
      );
    });
}

test("CONTRIBUTING lists every long form of a test, with its size in npm test", () => {
  const page = readFileSync("CONTRIBUTING.md", "utf8");
  const rows = page.matchAll(/^\| `(CERTWIRE_\w+)` \((\d+)\) \| [^|]+ \| `([^`]+)` \|$/gm);
  const listed = [...rows].map(([, variable, size, file]) => `${variable} ${size} ${file}`);
  assert.deepEqual(listed.toSorted(), sizesOfTests().toSorted());
});
