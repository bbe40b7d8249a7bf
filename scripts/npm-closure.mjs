// Prints the directories of npm packages and of all that they need, as package-lock.json has them, one a line:
//   node scripts/npm-closure.mjs NAME ...
import { readFileSync } from "node:fs";

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
const found = new Set();

/** Adds a package, and what it needs that is not inside its own directory. */
function add(name) {
  const directory = `node_modules/${name}`;
  if (found.has(directory)) return;
  if (!(directory in packages)) throw new Error(`${directory} is not in package-lock.json`);
  found.add(directory);
  for (const each of Object.keys(packages[directory].dependencies ?? {})) {
    if (!(`${directory}/node_modules/${each}` in packages)) add(each);
  }
}

for (const name of process.argv.slice(2)) add(name);
for (const directory of found) console.log(directory);
