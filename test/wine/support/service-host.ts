// Runs in node.exe: starts the service as a Windows service host does, with a pipe for standard input
// that is closed when it has to stop. A pipe of the Linux side is none to a program in Wine.
import { spawn } from "node:child_process";
import { existsSync, openSync } from "node:fs";

const [logFile = "", outputFile = "", stopFile = "", ...args] = process.argv.slice(2);
const service = spawn(process.execPath, args, {
  stdio: ["pipe", openSync(outputFile, "a"), openSync(logFile, "a")],
});
const timer = setInterval(() => {
  if (!existsSync(stopFile)) return;
  clearInterval(timer);
  service.stdin?.end();
}, 100);
service.once("exit", (code) => {
  process.exit(code ?? 1);
});
