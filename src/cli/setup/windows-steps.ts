import { planEnable } from "../../ca/change-list.ts";
import { activeDependents, caService, serviceState } from "../../ca/control-service.ts";
import { certwireService, serviceConfig, serviceSetup } from "../../ca/service-setup.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { type NativeWindows, windowsSystem } from "../../native/windows-system.ts";
import { planLines, restartCa } from "../actions/ca-change.ts";
import { inLine, say } from "../output.ts";
import { restart } from "../restart.ts";
import type { Dialog } from "./dialog.ts";
import type { SetupOptions } from "./options.ts";

/** Longest wait for a service, in ms. */
const limitMs = 120_000;

/** What follows the check. */
export interface WindowsSteps {
  /** What is done, for people. */
  readonly lines: readonly string[];
  /** Does it. If a step fails, says what is left to do, then throws as `restartService` and `ListChange.apply`. */
  run(): Promise<void>;
  /** Commands for what is not done by now, in their order. */
  left(): string[];
}

/** Windows, if this is it; otherwise throws CERTWIRE_WINDOWS_ONLY if one of the options needs it. */
export function windowsFor({ start, enable }: SetupOptions): NativeWindows | undefined {
  const isNeeded = start !== undefined || enable !== undefined;
  return isNeeded || process.platform === "win32" ? windowsSystem() : undefined;
}

/**
 * Plans the start of the service and the change of the CA's list; on a terminal of Windows asks for what was not given.
 * `config` is the file that the setup writes. Throws CERTWIRE_SERVICE_STATE if the service is not installed, and as `planEnable`.
 */
export async function planWindowsSteps(
  { start, enable, restartCa: caRestart }: SetupOptions,
  dialog: Dialog | undefined,
  windows: NativeWindows,
  config: string,
): Promise<WindowsSteps> {
  const ask = async (given: true | undefined, question: string): Promise<boolean> =>
    given ?? (await dialog?.confirm(question)) ?? false;
  const isStarted = await ask(start, `Start the service ${certwireService}`);
  const isEnabled = await ask(enable, "Add Certwire.Exit to the exit modules of the CA");
  const isCaRestarted = isEnabled && (await ask(caRestart, `Restart the CA service, ${caService}`));
  if (isStarted) assertInstalled(windows);
  const change = isEnabled ? planEnable(windows) : undefined;
  const services = isCaRestarted ? [caService, ...activeDependents(windows, caService)] : [];
  const lines = [
    ...(isStarted ? [`start of the service ${certwireService}`] : []),
    ...otherConfig(windows, config),
    ...(change === undefined ? [] : planLines(change, services)),
  ];
  const done = { start: false, caRestart: false };
  const left = (): string[] => [
    ...(done.start ? [] : [`sc.exe start ${certwireService}`]),
    ...(done.caRestart ? [] : ["certwire ca enable --restart"]),
  ];
  const run = async (): Promise<void> => {
    try {
      // First the service: it must read what the exit module will write.
      if (isStarted) await restart(windows, certwireService, { limitMs });
      done.start = isStarted;
      change?.apply();
      if (change !== undefined && isCaRestarted) await restartCa(windows, change, { limitMs });
      done.caRestart = isCaRestarted;
    } catch (error) {
      say("certwire: the configuration is written, but not every step was done. Left to do:");
      for (const line of left()) say(`  ${line}`);
      throw error;
    }
  };
  return { lines, run, left };
}

function assertInstalled(windows: NativeWindows): void {
  if (serviceState(windows, certwireService) !== undefined) return;
  throw new CertwireError(
    "CERTWIRE_SERVICE_STATE",
    `the service ${certwireService} is not installed`,
    { hint: "Install it with the installer, or with certwire-service.exe --install." },
  );
}

/** A note if the service was installed with another configuration than the one that is written. */
function otherConfig(windows: NativeWindows, config: string): string[] {
  const service = serviceSetup(windows, certwireService);
  const path = service && serviceConfig(service);
  if (path === undefined || path.toLowerCase() === config.toLowerCase()) return [];
  return [`note: the service ${certwireService} reads ${inLine(path)}, not this configuration`];
}
