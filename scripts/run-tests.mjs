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
/** Files in `directory`, each of which imports up to `size` test files of one folder. */
function groupsOf(size, directory) {
  const folders = [...new Set(files.map(dirname))];
  return folders.flatMap((folder) => {
    const members = files.filter((file) => dirname(file) === folder);
    const count = Math.ceil(members.length / size);
    return Array.from({ length: count }, (_, group) => {
      const path = join(directory, `${folder.replaceAll(sep, "-")}-${group + 1}.test.mjs`);
      // Every so many: files with names alike often take long alike.
      const own = members.filter((_file, place) => place % count === group);
      const imports = own.map((file) => `import ${JSON.stringify(pathToFileURL(resolve(file)))};`);
      writeFileSync(path, imports.join("\n"));
      return path;
    });
  });
}

let run = files;
if (together !== undefined) {
  const directory = mkdtempSync(join(tmpdir(), "certwire-test-groups-"));
  process.on("exit", () => rmSync(directory, { recursive: true }));
  run = groupsOf(Number(together), directory);
}
// A hanging test must not hold up the run.
const child = spawn(process.execPath, ["--test", "--test-timeout=900000", ...options, ...run], {
  stdio: "inherit",
});
child.on("exit", (code, signal) => process.exit(signal ? 1 : code));
