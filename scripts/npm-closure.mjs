// Prints the directories of npm packages and of all that they need, as package-lock.json has them, one a line; not
// those inside the directory of another package:
//   node scripts/npm-closure.mjs NAME ...
import { readFileSync } from "node:fs";

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
const found = new Set();

/** Adds the package that `name` means in the directory of another one, or in this project, and what it needs. */
function add(name, from) {
  const directory = resolve(name, from);
  if (found.has(directory)) return;
  found.add(directory);
  for (const each of Object.keys(packages[directory].dependencies ?? {})) add(each, directory);
}

/** The nearest directory of a package, from that of the one that needs it upwards, as Node finds it. */
function resolve(name, from) {
  const place = from === "" ? "" : `${from}/`;
  const directory = `${place}node_modules/${name}`;
  if (directory in packages) return directory;
  if (from === "") throw new Error(`node_modules/${name} is not in package-lock.json`);
  return resolve(name, from.slice(0, Math.max(0, from.lastIndexOf("/node_modules/"))));
}

for (const name of process.argv.slice(2)) add(name, "");
for (const directory of found) {
  if (directory.lastIndexOf("node_modules/") === 0) console.log(directory);
}
