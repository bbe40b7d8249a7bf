import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

/** What `npm install` installs in the blocks of code of all pages, `page: name` each. */
function installed(): string[] {
  const pages = ["docs", "examples"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  );
  return ["README.md", ...pages]
    .filter((page) => page.endsWith(".md"))
    .flatMap((page) =>
      [...readFileSync(page, "utf8").matchAll(/^ *npm (?:install|i|add) (.+)$/gm)].flatMap(
        ([, words = ""]) => words.split(" ").map((word) => `${page}: ${word}`),
      ),
    )
    .filter((line) => /: .*certwire[^\\/]*$/.test(line));
}

test("every page installs Certwire from the file that npm pack makes, since no registry has it", () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const found = installed();
  assert.ok(found.length >= 7, found.join("\n"));
  for (const line of found) {
    assert.ok(line.endsWith(`certwire-${version}.tgz`), line);
  }
});
