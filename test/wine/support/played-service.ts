// Runs in node.exe, in the place of the service: does what the JSON file of `--config` says.
import { appendFileSync, readFileSync } from "node:fs";
import type { PlayedService } from "./host-service.ts";

const config = process.argv[process.argv.indexOf("--config") + 1] ?? "";
const {
  exitCode,
  isDeaf,
  lines = 0,
  traceFile,
} = JSON.parse(readFileSync(config, "utf8")) as PlayedService;

const trace = (text: string): void => {
  if (traceFile !== undefined) appendFileSync(traceFile, `${text}\n`);
};

trace("started");
console.error(JSON.stringify({ msg: "arguments", arguments: process.argv.slice(1) }));
for (let at = 0; at < lines; at += 1) {
  console.error(JSON.stringify({ at, filler: "x".repeat(1000) }));
}
if (exitCode === undefined) {
  console.error(JSON.stringify({ msg: "started" }));
  process.stdin.resume();
  process.stdin.on("end", () => {
    trace("standard input ended");
    console.error(JSON.stringify({ msg: "stopped" }));
    if (isDeaf !== true) process.exit(0);
  });
  setInterval(() => trace("alive"), 1_000);
} else {
  process.exitCode = exitCode;
}
