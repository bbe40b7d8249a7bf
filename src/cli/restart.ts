import { type ControlOptions, restartService } from "../ca/control-service.ts";
import type { NativeWindows } from "../native/windows-system.ts";
import { say } from "./output.ts";

/**
 * What ends a process: Ctrl-C, Ctrl-Break, a console that is closed (after which Windows leaves 10 s), and a request.
 */
const endingSignals = ["SIGINT", "SIGBREAK", "SIGHUP", "SIGTERM"] as const;

/**
 * Restarts a service and says each step. A signal in between would leave the service stopped, so it only says so.
 * Throws as `restartService`.
 */
export async function restart(
  windows: NativeWindows,
  name: string,
  options: Omit<ControlOptions, "onStep">,
): Promise<void> {
  const wait = (): void => say(`certwire: ${name} is being restarted, please wait`);
  const onStep = (text: string): void => say(`certwire: ${text}`);
  for (const signal of endingSignals) process.on(signal, wait);
  try {
    await restartService(windows, name, { ...options, onStep });
  } finally {
    for (const signal of endingSignals) process.off(signal, wait);
  }
}
