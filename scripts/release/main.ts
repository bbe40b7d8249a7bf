// Makes the files of a release in build/release; docs/how-to/release.md describes it.
//   node build/js/scripts/release/main.js [--node 24|22] [--windows-build DIR] [--signatures DIR]
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { parseArgs } from "node:util";
import { nodeLines } from "./node-runtime.ts";
import { makeRelease } from "./release.ts";
import { signingFrom } from "./signing.ts";

try {
  await main();
} catch (error) {
  console.error(`release: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      node: { type: "string", default: nodeLines[0] ?? "" },
      "windows-build": { type: "string", default: "build/windows" },
      signatures: { type: "string" },
    },
  });
  const node = nodeLines.find((line) => line === values.node);
  if (node === undefined)
    throw new Error(`--node is ${nodeLines.join(" or ")}, not ${values.node}`);
  const { files, unsigned } = await makeRelease({
    directory: "build/release",
    windowsBuild: values["windows-build"],
    node,
    signing: signingFrom(process.env, values.signatures),
    epochSeconds: sourceTime(),
  });
  for (const file of files) say(`${file}, ${statSync(file).size.toLocaleString("en")} bytes`);
  if (unsigned.length > 0) say(`not signed: ${unsigned.join(", ")}`);
  const changes = uncommittedChanges();
  if (changes !== "") say(`made with changes that are not committed:\n${changes}`);
}

/** Time of the sources, in s since 1970: SOURCE_DATE_EPOCH, or that of the last commit. */
function sourceTime(): number {
  const text = process.env["SOURCE_DATE_EPOCH"] ?? git("log", "-1", "--format=%ct");
  if (text === undefined) throw new Error("outside a checkout of git set SOURCE_DATE_EPOCH");
  const seconds = Number(text);
  if (Number.isSafeInteger(seconds) && seconds > 0) return seconds;
  throw new Error("SOURCE_DATE_EPOCH must be a number of seconds since 1970");
}

/** What git says about them; nothing in an unpacked archive of the sources, about which it can say nothing. */
function uncommittedChanges(): string {
  return git("status", "--porcelain") ?? "";
}

/** Output of git; undefined outside a checkout, or without git. */
function git(...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, { encoding: "utf8", stdio: "pipe" }).trimEnd();
  } catch {
    return undefined;
  }
}

function say(text: string): void {
  console.log(`certwire: ${text}`);
}
