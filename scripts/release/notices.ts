import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BundledPackage } from "./bundle.ts";

/** The notices of the repository, and the licences of the npm packages inside the bundle. Throws if one has none. */
export function notices(packages: readonly BundledPackage[]): string {
  const own = readFileSync("THIRD-PARTY-NOTICES.md", "utf8");
  const sections = packages.map(
    ({ name, version }) => `## ${name} ${version}\n\n\`\`\`text\n${licenceOf(name)}\n\`\`\`\n`,
  );
  return `${own}\n# npm packages inside app\\certwire.mjs\n\n${sections.join("\n")}`;
}

function licenceOf(name: string): string {
  const directory = join("node_modules", name);
  const files = existsSync(directory) ? readdirSync(directory) : [];
  const licences = files.filter((each) => /^(licen[cs]e|notice)/i.test(each)).toSorted();
  if (licences.length === 0) throw new Error(`${directory} has no licence`);
  return licences.map((file) => readFileSync(join(directory, file), "utf8").trim()).join("\n\n");
}
