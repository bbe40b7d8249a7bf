import { type ListChange, planEnable } from "../../ca/change-list.ts";
import {
  activeDependents,
  caService,
  restartService,
  serviceState,
} from "../../ca/control-service.ts";
import { certwireService, serviceConfig, serviceSetup } from "../../ca/service-setup.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { type NativeWindows, windowsSystem } from "../../native/windows-system.ts";
import { planLines, restartCa } from "../actions/ca-change.ts";
import { inLine, say } from "../output.ts";
import type { Dialog } from "./dialog.ts";
import type { SetupOptions } from "./options.ts";

/** Longest wait for a service, in ms. */
const limitMs = 120_000;

/** What follows the check. */
export interface WindowsSteps {
  readonly isStarted: boolean;
  /** Absent if the CA's list of exit modules stays as it is. */
  readonly change?: ListChange;
  readonly isCaRestarted: boolean;
  /** What is done, for people. */
  readonly lines: readonly string[];
  run(): Promise<void>;
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
  { start, enable, restartCa: restart }: SetupOptions,
  dialog: Dialog | undefined,
  windows: NativeWindows,
  config: string,
): Promise<WindowsSteps> {
  const ask = async (given: true | undefined, question: string): Promise<boolean> =>
    given ?? (await dialog?.confirm(question)) ?? false;
  const isStarted = await ask(start, `Start the service ${certwireService}`);
  const isEnabled = await ask(enable, "Add Certwire.Exit to the exit modules of the CA");
  const isCaRestarted = isEnabled && (await ask(restart, `Restart the CA service, ${caService}`));
  if (isStarted) assertInstalled(windows);
  const change = isEnabled ? planEnable(windows) : undefined;
  const services = isCaRestarted ? [caService, ...activeDependents(windows, caService)] : [];
  return {
    isStarted,
    ...(change && { change }),
    isCaRestarted,
    lines: [
      ...(isStarted ? [`start of the service ${certwireService}`] : []),
      ...otherConfig(windows, config),
      ...(change === undefined ? [] : planLines(change, services)),
    ],
    run: async () => {
      const onStep = (text: string): void => say(`certwire: ${text}`);
      // First the service: it must read what the exit module will write.
      if (isStarted) await restartService(windows, certwireService, { limitMs, onStep });
      change?.apply();
      if (isCaRestarted) await restartCa(windows, limitMs);
    },
  };
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
