import type { NativeWindows } from "../native/windows-system.ts";
import { chooseCa } from "./choose-ca.ts";
import { caService, type ServiceState, serviceState } from "./control-service.ts";
import { certwireExit, defaultExit, hasModule, readExitModules } from "./exit-modules.ts";
import { type RegisteredModule, readRegisteredModule } from "./registered-module.ts";
import { changesSinceStart } from "./restart-needed.ts";

/** What a CA and Windows know of our exit module. */
export interface CaStatus {
  /** The CA's sanitized name. */
  readonly ca: string;
  /** True if the CA service runs this CA. */
  readonly isActive: boolean;
  /** ProgIDs in the order in which the CA calls them, from its next start on. */
  readonly exitModules: readonly string[];
  /** True if our exit module is one of them. */
  readonly isEnabled: boolean;
  readonly registration: RegisteredModule;
  /** Absent if the service of the CA is not installed. */
  readonly service?: ServiceState;
  /** True if the service runs this CA and started before its list, or settings or registration of our module, were changed. */
  readonly isRestartNeeded: boolean;
  /** What should be changed; empty if nothing. */
  readonly warnings: readonly string[];
}

/** Reads what `certwire ca status` shows; changes nothing. Throws as `chooseCa` and `readExitModules`. */
export function readCaStatus(windows: NativeWindows, name?: string): CaStatus {
  const ca = chooseCa(windows, name);
  const list = readExitModules(windows, ca);
  const { modules } = list;
  const registration = readRegisteredModule(windows);
  const service = serviceState(windows, caService);
  const { isListNewer, isDllNewer } = changesSinceStart(windows, list);
  const warnings = [
    ...registration.problems,
    ...(hasModule(modules, defaultExit) ? [] : [defaultIsMissing]),
    ...(ca.isActive ? [] : [`the service ${caService} does not run this CA`]),
    ...(ca.isActive && isListNewer ? [listIsNewer] : []),
    ...(ca.isActive && isDllNewer ? [dllIsNewer] : []),
    ...(service === undefined ? [`the service ${caService} is not installed`] : []),
  ];
  return {
    ca: ca.name,
    isActive: ca.isActive,
    exitModules: modules,
    isEnabled: hasModule(modules, certwireExit),
    registration,
    ...(service !== undefined && { service }),
    isRestartNeeded: ca.isActive && (isListNewer || isDllNewer),
    warnings,
  };
}

const listIsNewer = `${caService} started before its list of exit modules, or the settings of ${certwireExit}, were changed: restart it`;

/** The warning that the CA service runs another DLL than the one that is registered. */
export const dllIsNewer = `${caService} still runs the DLL that it loaded at its start, before this one was registered: restart it`;

const defaultIsMissing = `the list lacks ${defaultExit}, which on an enterprise CA publishes certificates to the directory`;
