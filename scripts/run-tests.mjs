// Runs node:test on every compiled *.test.js file below the given directories (Node 20's runner takes no globs).
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const options = process.argv.slice(2).filter((a) => a.startsWith("--"));
const roots = process.argv.slice(2).filter((a) => !a.startsWith("--"));

function testFiles(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith(".test.js"))
    .map((name) => join(path, name))
    .toSorted();
}

const files = roots.flatMap(testFiles);
if (files.length === 0) {
  console.error(`run-tests: no *.test.js under ${roots.join(", ")}; run npm run build first`);
  process.exit(1);
}
// A test that fails may leave a loop running; neither that nor a hanging test may hold up the run.
const bounds = ["--test-force-exit", "--test-timeout=900000"];
const child = spawn(process.execPath, ["--test", ...bounds, ...options, ...files], {
  stdio: "inherit",
});
child.on("exit", (code, signal) => process.exit(signal ? 1 : code));
