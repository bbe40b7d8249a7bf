import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

/** A page without its code, where brackets and parentheses mean something else. */
function proseOf(page: string): string {
  return readFileSync(page, "utf8")
    .replaceAll(/^ *```[^]*?^ *```/gm, "")
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, "."));
}

/** Targets of the links of a page that point into the repository. */
function linksOf(page: string): string[] {
  const found = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return found.filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page: string): string[] {
  const headings = [...readFileSync(page, "utf8").matchAll(/^#{1,6} +(.+)$/gm)];
  return headings.map(([, text = ""]) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

for (const page of pages) {
  test(`every relative link of ${page} points to something that is there`, () => {
    for (const link of linksOf(page)) {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : join(dirname(page), path);
      assert.ok(existsSync(target), `${link}: there is no ${target}`);
      if (anchor !== undefined && target.endsWith(".md")) {
        assert.ok(anchorsOf(target).includes(anchor), `${link}: ${target} has no such heading`);
      }
    }
  });
}

test("the index of the documentation names every page", () => {
  const index = "docs/README.md";
  const named = new Set(linksOf(index).map((link) => join("docs", link.split("#")[0] ?? "")));
  // The runbooks are in the list of alerts.
  const alerts = "docs/how-to/alert-with-prometheus.md";
  for (const link of linksOf(alerts)) named.add(join("docs", "how-to", link.split("#")[0] ?? ""));
  const missing = pages.filter((page) => page.startsWith("docs") && page !== index);
  assert.deepEqual(
    missing.filter((page) => !named.has(page)).map((page) => relative("docs", page)),
    [],
  );
});

test("links are found", () => {
  assert.ok(linksOf("README.md").length > 10);
});
