import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { test } from "node:test";

/** What each part of src may import at run time; CONTRIBUTING.md says so in words. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  addon: ["errors"],
  files: ["errors", "addon"],
  exit: ["errors", "files"],
  journal: ["errors", "files", "addon", "exit"],
  sinks: ["errors", "files"],
  pipeline: ["errors", "files", "exit", "journal", "sinks"],
  config: ["errors", "sinks"],
  replay: ["errors", "exit", "journal", "pipeline"],
  service: ["errors", "files", "addon", "config", "exit", "journal", "pipeline", "sinks"],
  "journal-tools": ["errors", "exit", "journal", "replay"],
  simulate: [],
  "index.ts": ["exit"],
};

/** An import that is there at run time: with `verbatimModuleSyntax` every one that is no `import type`. */
const runtimeImport =
  /^(?:import|export)\s+(?!type\b)(?:[^"';]*?\sfrom\s+)?"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm;

/** The part of src that a file belongs to; the typed edge to the addon is one of its own. */
function partOf(path: string): string {
  if (path === join("src", "journal", "native.ts")) return "addon";
  return path.split(sep)[1] ?? "";
}

function importsOf(path: string): string[] {
  const found = readFileSync(path, "utf8").matchAll(runtimeImport);
  return [...found].map(([, named, dynamic]) => join(dirname(path), named ?? dynamic ?? ""));
}

const files = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => normalize(join("src", name)));

test("parts of src import at run time only what stands below them", () => {
  const against = files
    .filter((file) => partOf(file) !== "cli")
    .flatMap((file) => importsOf(file).map((target) => ({ file, target })))
    .filter(({ file, target }) => {
      const [part, other] = [partOf(file), partOf(target)];
      return part !== other && !mayImport[part]?.includes(other);
    });
  assert.deepEqual(against, []);
});

test("every part of src has its place in the rule, and imports are found", () => {
  const parts = new Set(files.map(partOf));
  assert.deepEqual([...parts].toSorted(), [...Object.keys(mayImport), "cli"].toSorted());
  assert.ok(importsOf(join("src", "pipeline", "pipeline.ts")).length > 5);
});
