// Runs the simulation of test/simulation: bundles the source with models in the place of the clock, the disk, the addon
// and the clients of the brokers, and starts the bundle.
//   npm run simulate -- [--hours N] [--seconds N] [--seed S] [--runs N] [--script FILE]
//   npm run simulate -- --mutations [NAME ...] [--seconds N]
// With --mutations it breaks the source on purpose, in memory, and prints after how many simulated hours each fault was
// found; ends with 1 if one was not found. Without names: all but those of test/simulation/unseen.json.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const source = resolve("src");
const standIns = resolve("test/simulation/stand-ins");

/** Modules of src by their stand-ins. */
const modules = {
  "clock.ts": "clock.ts",
  "native/load-addon.ts": "load-addon.ts",
  "kafka/kafkajs-inside.ts": "kafkajs-inside.ts",
  "amqp/amqplib-inside.ts": "amqplib-inside.ts",
};

/** Modules of others that src imports, by their stand-ins. */
const imports = {
  "node:fs/promises": "fs-promises.ts",
  kafkajs: "kafkajs.ts",
  amqplib: "amqplib.ts",
};

function simulation(mutation) {
  return {
    name: "simulation",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
        const target = resolve(resolveDir, path);
        const found = Object.entries(modules).find(([name]) => target === join(source, name));
        return found && { path: join(standIns, found[1]) };
      });
      onResolve({ filter: /^(node:fs\/promises|kafkajs|amqplib)$/ }, ({ path, importer }) =>
        importer.startsWith(source) ? { path: join(standIns, imports[path]) } : undefined,
      );
      if (mutation === undefined) return;
      const { name, file, find, replace } = mutation;
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== resolve(file)) return undefined;
        const text = readFileSync(path, "utf8");
        if (text.split(find).length !== 2) {
          throw new Error(`${name}: ${file} must contain its text exactly once`);
        }
        return { contents: text.replace(find, () => replace), loader: "ts" };
      });
    },
  };
}

/** Bundles and runs the simulation; what it has printed is returned, or shown. */
async function run(args, mutation) {
  const outfile = resolve("build/simulation", `${mutation?.name ?? "main"}.mjs`);
  const { metafile } = await build({
    entryPoints: ["test/simulation/main.ts"],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    mainFields: ["module", "main"],
    plugins: [simulation(mutation)],
    sourcemap: true,
    metafile: true,
    logLevel: "warning",
    banner: {
      js: 'import { createRequire as certwireCreateRequire } from "node:module";\nconst require = certwireCreateRequire(import.meta.url);',
    },
  });
  if (mutation && !(mutation.file in metafile.inputs)) return undefined;
  const options = mutation ? { encoding: "utf8", timeout: 3_600_000 } : { stdio: "inherit" };
  // Most objects of a step die with it: with more room for them, few are copied.
  const flags = ["--enable-source-maps", "--max-semi-space-size=64", "--single-threaded-gc"];
  return spawnSync(process.execPath, [...flags, outfile, ...args], options);
}

function allMutations() {
  const read = (path) => JSON.parse(readFileSync(path, "utf8"));
  const ofTests = read("test/mutations.json").filter(
    ({ kind, file }) => kind === "ts" && file.startsWith("src/"),
  );
  return [...ofTests, ...read("test/simulation/mutations.json")];
}

/** Names of the mutations that no simulation can see. */
function unseenMutations(known) {
  const unseen = JSON.parse(readFileSync("test/simulation/unseen.json", "utf8"));
  const names = new Set(unseen.flatMap(({ mutations }) => mutations));
  const gone = [...names].filter((name) => !known.some((mutation) => mutation.name === name));
  if (gone.length > 0) throw new Error(`unseen.json names no mutations: ${gone.join(", ")}`);
  return names;
}

async function runMutations(args) {
  const at = args.findIndex((arg) => arg.startsWith("--"));
  const names = at === -1 ? args : args.slice(0, at);
  const rest = at === -1 ? [] : args.slice(at);
  const options = rest.some((arg) => arg === "--seconds") ? rest : [...rest, "--seconds", "60"];
  const known = allMutations();
  const unseen = unseenMutations(known);
  const wanted = known.filter(({ name }) =>
    names.length === 0 ? !unseen.has(name) : names.includes(name),
  );
  let missed = 0;
  for (const mutation of wanted) {
    const ended = await run([...options, "--no-shrink"], mutation);
    // Nothing that the simulation runs.
    if (ended === undefined) continue;
    const output = `${ended.stdout}${ended.stderr}`;
    const [, place, hours] =
      /^((?:seed|script) \d+) fails after \d+ runs, ([\d.]+) simulated hours/m.exec(output) ?? [];
    if (hours === undefined) missed += 1;
    const [, reason = ""] = /fails after .*\n(.*)/.exec(output) ?? [];
    const result =
      hours === undefined
        ? `NOT FOUND (${output.trim().split("\n").at(-1)?.slice(0, 120)})`
        : `found after ${hours} h, ${place}: ${reason.slice(0, 140)}`;
    console.log(`${mutation.name}: ${result}`);
  }
  return missed === 0 ? 0 : 1;
}

const [first, ...others] = process.argv.slice(2);
if (first === "--mutations") process.exit(await runMutations(others));
const { status } = await run(process.argv.slice(2));
process.exit(status ?? 1);
