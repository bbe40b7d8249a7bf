import { createLogger } from "../../src/cli/logger.ts";

/**
 * A process of its own that logs to standard error: 100 lines of 8 KiB at once, then one each 20 ms until the first
 * SIGTERM. Each SIGTERM gets one short line with `last`. Says on standard output when the first lines are done, and at
 * SIGINT, which ends it, how many it has logged.
 */
const log = createLogger("info");
const text = "x".repeat(8192);
let logged = 0;

function logLine(fields: object): void {
  logged += 1;
  log.info(fields);
}

process.on("SIGTERM", () => {
  clearInterval(timer);
  logLine({ last: true });
});
process.on("SIGINT", () => {
  process.stdout.write(`logged ${logged}\n`, () => process.exit());
});
for (let line = 0; line < 100; line += 1) logLine({ text });
setTimeout(() => process.stdout.write("timers go on\n"), 1);
const timer = setInterval(() => logLine({ text }), 20);
// Without the timer nothing else would keep the process until SIGINT.
process.stdin.resume();
