// Runs node:test on every compiled *.test.js file below the given directories (Node 20's runner takes no
// globs), except those named by --exclude=NAME. Other flags are node's own; a test may take 15 minutes unless
// --test-timeout=MILLISECONDS says otherwise.
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";

const [flags, roots] = [true, false].map((isFlag) =>
  process.argv.slice(2).filter((a) => a.startsWith("--") === isFlag),
);
const exclude = "--exclude=";
const options = flags.filter((flag) => !flag.startsWith(exclude));
const excluded = flags
  .filter((flag) => flag.startsWith(exclude))
  .map((flag) => flag.slice(exclude.length));

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
// A hanging test must not hold up the run.
const child = spawn(process.execPath, ["--test", "--test-timeout=900000", ...options, ...files], {
  stdio: "inherit",
});
child.on("exit", (code, signal) => process.exit(signal ? 1 : code));
