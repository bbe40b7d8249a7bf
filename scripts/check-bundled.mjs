// Refuses to pack dependencies that are not those of package-lock.json, or that run scripts when installed:
// the package carries them, so that an installation on a CA resolves and runs nothing.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const { packages } = read("package-lock.json");
const bundled = Object.entries(packages).filter(([path, { dev }]) => path !== "" && !dev);
const problems = bundled.flatMap(([path, { version }]) => {
  const installed = read(join(path, "package.json"));
  const scripts = ["preinstall", "install", "postinstall"].filter(
    (name) => installed.scripts?.[name],
  );
  return [
    ...(installed.version === version
      ? []
      : [`${path} is ${installed.version}, but ${version} in package-lock.json: run npm ci`]),
    ...scripts.map((name) => `${path} has a script "${name}"`),
  ];
});
const ranges = Object.entries(read("package.json").dependencies).filter(([, v]) => !/^\d/.test(v));
problems.push(
  ...ranges.map(([name, range]) => `${name} is "${range}" in package.json, no version`),
);
for (const problem of problems) console.error(`certwire: ${problem}`);
process.exit(problems.length > 0 ? 1 : 0);
