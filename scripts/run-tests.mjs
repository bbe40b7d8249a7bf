// Runs node:test on every compiled *.test.js file below the given directories (Node 20's runner takes no
// globs), except those named by --exclude=NAME. With --together=N one process runs up to N files of a folder: the start
// of a process takes longer than most files. Other flags are node's own; a test may take 15 minutes unless
// --test-timeout=MILLISECONDS says otherwise.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";

const [flags, roots] = [true, false].map((isFlag) =>
  process.argv.slice(2).filter((a) => a.startsWith("--") === isFlag),
);
const ours = { exclude: "--exclude=", together: "--together=" };
const valuesOf = (name) =>
  flags.filter((flag) => flag.startsWith(name)).map((flag) => flag.slice(name.length));
const options = flags.filter((flag) => !Object.values(ours).some((name) => flag.startsWith(name)));
const excluded = valuesOf(ours.exclude);
const [together] = valuesOf(ours.together);

function testFiles(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith(".test.js"))
    .map((name) => join(path, name))
    .toSorted();
}

const found = roots.flatMap(testFiles);
const files = found.filter((file) => !excluded.includes(basename(file)));
const stale = excluded.find((name) => !found.some((file) => basename(file) === name));
if (stale !== undefined) {
  console.error(`run-tests: no test file is named ${stale}, which --exclude names`);
  process.exit(1);
}
if (files.length === 0) {
  console.error(`run-tests: no *.test.js under ${roots.join(", ")}; run npm run build first`);
  process.exit(1);
}
/** The files in lists of one folder each, of up to `size` files. */
function groupsOf(size) {
  const folders = [...new Set(files.map(dirname))];
  return folders.flatMap((folder) => {
    const members = files.filter((file) => dirname(file) === folder);
    const count = Math.ceil(members.length / size);
    // Dealt out in turn: neighbours in the alphabet often take equally long.
    return Array.from({ length: count }, (_, group) =>
      members.filter((_file, place) => place % count === group),
    );
  });
}

/** Writes a test file into `directory` that runs the files of a group; returns its path. */
function writeGroup(group, number, directory) {
  const name = `${dirname(group[0]).replaceAll(sep, "-")}-${number}`;
  const urls = group.map((file) => pathToFileURL(resolve(file)).href);
  const members = urls.map((url) => `import ${JSON.stringify(url)};`);
  writeFileSync(join(directory, `${name}.members.mjs`), members.join("\n"));
  const path = join(directory, `${name}.test.mjs`);
  // All files are evaluated before the first test begins. If one cannot be, the others still run, and it fails by name.
  writeFileSync(
    path,
    `import { test } from "node:test";
const files = ${JSON.stringify(group.map((file, at) => [file, urls[at]]))};
await import(${JSON.stringify(`./${name}.members.mjs`)}).catch(async () => {
  for (const [file, url] of files) {
    await import(url).catch((error) => test(\`\${file} can be loaded\`, () => { throw error; }));
  }
});
`,
  );
  return path;
}

let run = files;
if (together !== undefined) {
  const size = Number(together);
  if (!Number.isInteger(size) || size < 1) {
    console.error(`run-tests: --together=${together} is not a number of files, such as 6`);
    process.exit(1);
  }
  const directory = mkdtempSync(join(tmpdir(), "certwire-test-groups-"));
  process.on("exit", () => rmSync(directory, { recursive: true }));
  run = groupsOf(size).map((group, at) => writeGroup(group, at + 1, directory));
}
// A hanging test must not hold up the run.
const child = spawn(process.execPath, ["--test", "--test-timeout=900000", ...options, ...run], {
  stdio: "inherit",
});
// The runner ends by itself then, and the directory of the groups is removed.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 1 : code));
