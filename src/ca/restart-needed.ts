import { calling, type NativeWindows } from "../native/windows-system.ts";
import { caService, serviceStart } from "./control-service.ts";
import { certwireExit, type ExitModuleList, hasModule } from "./exit-modules.ts";
import { registrationTime } from "./registered-module.ts";

/** What was changed after the CA service started, which therefore runs without it. */
export interface ChangesSinceStart {
  /** The list of exit modules, or the settings of ours if it is in it. */
  readonly isListNewer: boolean;
  /** The registration of our DLL, if it is in the list. */
  readonly isDllNewer: boolean;
}

/** Nothing is newer than a service that does not run, or whose start is not known. Throws an error of Windows. */
export function changesSinceStart(
  windows: NativeWindows,
  { key, modules }: ExitModuleList,
): ChangesSinceStart {
  const startedMs = serviceStart(windows, caService) ?? Number.POSITIVE_INFINITY;
  const isNewer = (changedMs: number | null | undefined): boolean =>
    changedMs !== null && changedMs !== undefined && startedMs < changedMs;
  const isKeyNewer = (each: string): boolean =>
    isNewer(calling(`HKLM\\${each} cannot be read`, () => windows.readRegistryKeyTime(each)));
  const isListed = hasModule(modules, certwireExit);
  return {
    isListNewer: isKeyNewer(key) || (isListed && isKeyNewer(`${key}\\${certwireExit}`)),
    isDllNewer: isListed && isNewer(registrationTime(windows)),
  };
}
