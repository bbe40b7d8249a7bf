// Makes the files of a release in build/release: node build/js/scripts/release/main.js [--node 24|22]
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { fetchNode, type NodeLine, nodeLines } from "./node-runtime.ts";
import { makeStage } from "./stage.ts";

const { values } = parseArgs({ options: { node: { type: "string", default: nodeLines[0] } } });
const line = values.node as NodeLine;
if (!nodeLines.includes(line)) {
  console.error(`release: --node is ${nodeLines.join(" or ")}, not ${values.node}`);
  process.exit(2);
}
const epochSeconds = Number(
  execFileSync("git", ["log", "-1", "--format=%ct"], { encoding: "utf8" }).trim(),
);
const stage = await makeStage({
  directory: "build/release/stage",
  windowsBuild: "build/windows",
  node: fetchNode(line),
  epochSeconds,
});
console.log(`certwire: ${stage.directory} holds Certwire ${stage.version}`);
