import { CertwireError } from "../errors/certwire-error.ts";
import type { NativeWindows } from "../native/windows-system.ts";
import { chooseCa } from "./choose-ca.ts";
import { caService, serviceState } from "./control-service.ts";
import {
  type ExitModuleList,
  readExitModules,
  withCertwire,
  withoutCertwire,
  writeExitModules,
} from "./exit-modules.ts";
import { readRegisteredModule } from "./registered-module.ts";
import { changesSinceStart } from "./restart-needed.ts";

/** What a change of a CA's list of exit modules does. */
export interface ListChange {
  /** The CA's sanitized name. */
  readonly ca: string;
  /** True if the CA service runs this CA. */
  readonly isActive: boolean;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** False if the list is as it should be already. */
  readonly isChange: boolean;
  /** True if the service runs this CA and does not know of list, settings and DLL as they are, or are going to be. */
  readonly isRestartNeeded: boolean;
  /** Writes the list, if it changes. Throws CERTWIRE_CA_LIST and an error of Windows. */
  apply(): void;
}

/**
 * Plans to add our exit module to the list of a CA; writes nothing. Throws CERTWIRE_CA_MODULE if a CA must not load what
 * is registered, and otherwise as `chooseCa` and `readExitModules`.
 */
export function planEnable(windows: NativeWindows, name?: string): ListChange {
  const plan = planChange(windows, name, withCertwire);
  const { problems, dll } = readRegisteredModule(windows);
  if (problems.length === 0) return plan;
  const place = dll === undefined ? "" : `${dll}: `;
  throw new CertwireError("CERTWIRE_CA_MODULE", `${place}${problems.join("; ")}`);
}

/** Plans to take our exit module from the list of a CA; writes nothing. Throws as `chooseCa` and `readExitModules`. */
export function planDisable(windows: NativeWindows, name?: string): ListChange {
  return planChange(windows, name, withoutCertwire);
}

function planChange(
  windows: NativeWindows,
  name: string | undefined,
  change: (modules: readonly string[]) => readonly string[],
): ListChange {
  const ca = chooseCa(windows, name);
  const list: ExitModuleList = readExitModules(windows, ca);
  const after = change(list.modules);
  const isChange = after.length !== list.modules.length;
  return {
    ca: ca.name,
    isActive: ca.isActive,
    before: list.modules,
    after,
    isChange,
    isRestartNeeded: ca.isActive && (isChange ? isRunning(windows) : isStale(windows, list)),
    apply: () => {
      if (isChange) writeExitModules(windows, list, after);
    },
  };
}

/** True if the service runs with something else than what is in the registry. */
function isStale(windows: NativeWindows, list: ExitModuleList): boolean {
  const { isListNewer, isDllNewer } = changesSinceStart(windows, list);
  return isListNewer || isDllNewer;
}

/** Anything but a service that is stopped, or not there. */
function isRunning(windows: NativeWindows): boolean {
  const state = serviceState(windows, caService);
  return state !== undefined && state !== "stopped";
}
