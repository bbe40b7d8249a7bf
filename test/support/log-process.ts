import { createLogger } from "../../src/cli/logger.ts";

/**
 * A process of its own that logs to standard error: 100 lines of 8 KiB at once, then one each 20 ms.
 * Says on standard output when the first are done, and at SIGTERM how many it has logged.
 */
const log = createLogger("info");
const text = "x".repeat(8192);
let logged = 0;

function logLine(): void {
  logged += 1;
  log.info({ text });
}

process.on("SIGTERM", () => {
  process.stdout.write(`logged ${logged}\n`, () => process.exit());
});
for (let line = 0; line < 100; line += 1) logLine();
setTimeout(() => process.stdout.write("timers go on\n"), 1);
setInterval(logLine, 20);
