import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { test } from "node:test";

/**
 * What each part of src may import at run time, in the order of an event's path: every arrow points to a
 * part further up. CONTRIBUTING.md says so in words.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "units.ts": [],
  "repeated-values.ts": [],
  "clock.ts": [],
  "waiting.ts": ["clock.ts"],
  "read-body.ts": [],
  errors: [],
  "libraries.ts": ["errors"],
  log: ["clock.ts"],
  amqp: ["clock.ts", "errors"],
  kafka: ["clock.ts", "read-body.ts", "errors", "log"],
  native: ["errors"],
  "event-log": ["clock.ts", "errors", "native"],
  files: ["clock.ts", "units.ts", "errors", "native"],
  journal: ["clock.ts", "units.ts", "waiting.ts", "errors", "native"],
  exit: ["units.ts", "errors"],
  x509: ["repeated-values.ts"],
  events: ["repeated-values.ts", "exit", "x509"],
  mappings: ["events"],
  consumer: ["waiting.ts", "errors", "amqp", "kafka", "events", "mappings"],
  state: ["clock.ts", "units.ts", "errors", "files", "events"],
  sources: ["units.ts", "errors", "files", "journal", "exit", "events", "state"],
  sinks: ["clock.ts", "units.ts", "waiting.ts", "errors", "log", "amqp", "kafka", "files"],
  pipeline: ["clock.ts", "units.ts", "errors", "log", "events", "state"],
  config: ["clock.ts", "units.ts", "errors", "files", "events", "sinks", "pipeline"],
  "journal-tools": ["journal", "exit", "events", "state", "sources"],
  evidence: ["units.ts", "journal", "exit", "events", "consumer", "sources", "journal-tools"],
  health: ["units.ts", "errors", "files", "journal", "events", "state", "journal-tools"],
  http: [
    "clock.ts",
    "units.ts",
    "errors",
    "log",
    "native",
    "files",
    "events",
    "pipeline",
    "health",
  ],
  ca: ["errors", "native"],
  "ca-database": ["clock.ts", "errors", "native", "exit", "events"],
  reconcile: [
    "units.ts",
    "clock.ts",
    "errors",
    "files",
    "journal",
    "exit",
    "events",
    "consumer",
    "state",
    "sources",
    "pipeline",
  ],
  service: [
    "clock.ts",
    "units.ts",
    "errors",
    "log",
    "files",
    "journal",
    "exit",
    "events",
    "state",
    "sources",
    "pipeline",
    "journal-tools",
    "health",
    "http",
    "reconcile",
  ],
  doctor: [
    "units.ts",
    "errors",
    "native",
    "files",
    "journal",
    "events",
    "state",
    "sinks",
    "config",
    "journal-tools",
    "health",
    "ca",
    "ca-database",
  ],
  simulate: ["libraries.ts", "exit"],
  testing: [
    "errors",
    "libraries.ts",
    "journal",
    "exit",
    "x509",
    "events",
    "consumer",
    "sources",
    "sinks",
    "pipeline",
    "config",
    "simulate",
  ],
  "index.ts": ["events"],
  cli: [
    "units.ts",
    "read-body.ts",
    "errors",
    "log",
    "amqp",
    "native",
    "event-log",
    "files",
    "journal",
    "events",
    "consumer",
    "state",
    "sources",
    "sinks",
    "pipeline",
    "config",
    "journal-tools",
    "evidence",
    "health",
    "service",
    "ca",
    "ca-database",
    "reconcile",
    "doctor",
    "simulate",
  ],
};

/** An import that is there at run time: with `verbatimModuleSyntax` every one that is not an `import type`. */
const runtimeImport =
  /^(?:import|export)\s+(?!type\b)(?:[^"';]*?\sfrom\s+)?"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm;

/** An import of a package at run time; the modules of Node itself do not count. */
const packageImport = /^(?:import|export)\s+(?!type\b)[^"';]*?\sfrom\s+"((?!\.|node:)[^"]+)"/gm;

function partOf(path: string): string {
  return path.split(sep)[1] ?? "";
}

function importsOf(path: string): string[] {
  const found = readFileSync(path, "utf8").matchAll(runtimeImport);
  return [...found].map(([, named, dynamic]) => join(dirname(path), named ?? dynamic ?? ""));
}

const files = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => normalize(join("src", name)));

/** Every run-time import from one part into another. */
const crossings = files
  .flatMap((file) => importsOf(file).map((target) => ({ file, target })))
  .filter(({ file, target }) => partOf(file) !== partOf(target));

test("parts of src import at run time only what the rule allows", () => {
  const against = crossings.filter(
    ({ file, target }) => !mayImport[partOf(file)]?.includes(partOf(target)),
  );
  assert.deepEqual(against, []);
});

test("no arrow of the rule points back, and each is used", (context) => {
  const order = Object.keys(mayImport);
  for (const part of order) {
    const targets = new Set(
      crossings.filter(({ file }) => partOf(file) === part).map(({ target }) => partOf(target)),
    );
    const used = order.filter((other) => targets.has(other));
    context.diagnostic(`${part} -> ${used.join(" ") || "nothing"}`);
    assert.deepEqual(
      order.filter((other) => mayImport[part]?.includes(other)),
      used,
      `the arrows of ${part}`,
    );
    const back = used.filter((other) => order.indexOf(other) >= order.indexOf(part));
    assert.deepEqual(back, [], `arrows of ${part} that point back`);
  }
});

test("units of size have one home", () => {
  const ownUnit = /\b1024 \* 1024\b|\b2 \*\* 20\b|\b1 << 20\b|\bconst (?:kibi|mebi)byte\b/;
  const homes = files.filter((file) => ownUnit.test(readFileSync(file, "utf8")));
  assert.deepEqual(homes, [join("src", "units.ts")]);
});

test("the simulated CA is loaded by its own commands only, when they run, and by the test kit", () => {
  const importers = crossings.filter(({ target }) => partOf(target) === "simulate");
  assert.deepEqual(
    importers.map(({ file }) => file).filter((file) => partOf(file) !== "testing"),
    [join("src", "cli", "simulator.ts")],
  );
  assert.match(
    readFileSync(join("src", "cli", "simulator.ts"), "utf8"),
    /await import\("\.\.\/simulate/,
  );
});

test("the command line starts without the libraries of its commands", () => {
  const loaded = closureOf(join("src", "cli", "main.ts"));
  assert.ok(loaded.has(join("src", "cli", "commands", "journal-cat.ts")));
  assert.deepEqual(packagesOf(loaded), ["commander"]);
});

test("the commands that inspect start without the libraries that log and publish", () => {
  const packagesOfAction = (name: string) =>
    packagesOf(closureOf(join("src", "cli", "actions", `${name}.ts`)));
  for (const name of ["check", "doctor"]) {
    assert.deepEqual(packagesOfAction(name), ["commander", "jsonc-parser", "zod"], name);
  }
  for (const name of ["journal-cat", "journal-check", "journal-export", "journal-status"]) {
    assert.deepEqual(packagesOfAction(name), ["commander"], name);
  }
});

/** The packages that files import at once. */
function packagesOf(paths: ReadonlySet<string>): string[] {
  const packages = [...paths].flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(packageImport)].map(([, name = ""]) => name),
  );
  return [...new Set(packages)].toSorted((a, b) => a.localeCompare(b));
}

/** A file and all that it loads at once, without what it imports only when it needs it. */
function closureOf(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, target] of readFileSync(file, "utf8").matchAll(runtimeImport)) {
    if (target !== undefined) closureOf(join(dirname(file), target), found);
  }
  return found;
}

test("the SDK for consumers loads no client of a broker before it is used, and no native addon", () => {
  const loaded = [...closureOf(join("src", "consumer", "index.ts"))];
  assert.ok(loaded.length > 20, `${loaded.length} files`);
  const packages = loaded.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(packageImport)].map(([, name]) => name),
  );
  assert.deepEqual(packages, []);
  assert.deepEqual(
    loaded.filter((file) => ["native", "sinks", "service"].includes(partOf(file))),
    [],
  );
});

test("the test kit loads no library and no sink before it is used, and nothing of it is loaded by another part", () => {
  const loaded = closureOf(join("src", "testing", "index.ts"));
  assert.ok(loaded.has(join("src", "testing", "ca", "test-ca.ts")));
  assert.deepEqual(packagesOf(loaded), []);
  assert.deepEqual(
    [...loaded].filter((file) => ["native", "sinks", "pipeline", "config"].includes(partOf(file))),
    [],
  );
  assert.deepEqual(
    crossings.filter(({ target }) => partOf(target) === "testing"),
    [],
  );
});

test("every part of src has its place in the rule, and imports are found", () => {
  const parts = new Set(files.map(partOf));
  assert.deepEqual([...parts].toSorted(), Object.keys(mayImport).toSorted());
  assert.ok(importsOf(join("src", "pipeline", "pipeline.ts")).length > 5);
});

test("what records and events mean needs no disk and no network, so that consumers can run the same code", () => {
  const pure = files.filter((file) =>
    ["exit", "x509", "events", "mappings"].includes(partOf(file)),
  );
  const builtIns = pure.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/from "(node:[^"]+)"/g)].map(([, name]) => name),
  );
  assert.deepEqual(new Set(builtIns), new Set(["node:buffer", "node:crypto"]));
});
