import { CertwireError } from "../errors/certwire-error.ts";
import { isSameName, multiText, textsOf, typeName } from "../native/registry-strings.ts";
import { calling, type NativeWindows, type RegistryValue } from "../native/windows-system.ts";
import type { InstalledCa } from "./choose-ca.ts";

/** ProgID of our exit module. */
export const certwireExit = "Certwire.Exit";

/** ProgID of the exit module of Windows, which publishes certificates to the directory. */
export const defaultExit = "CertificateAuthority_MicrosoftDefault.Exit";

/** The exit modules that a CA loads at its next start. */
export interface ExitModuleList {
  readonly key: string;
  /** ProgIDs in the order in which the CA calls them. */
  readonly modules: readonly string[];
  /** What is stored. */
  readonly value: RegistryValue;
}

/** Reads the list of a CA. Throws CERTWIRE_CA_LIST if it is missing or is not a list of texts, and an error of Windows. */
export function readExitModules(windows: NativeWindows, ca: InstalledCa): ExitModuleList {
  const key = `${ca.key}\\ExitModules`;
  const place = `HKLM\\${key}, value Active`;
  const value = calling(`${place}, cannot be read`, () => windows.readRegistryValue(key, "Active"));
  if (value === null) {
    throw new CertwireError("CERTWIRE_CA_LIST", `there is no ${place}`, {
      hint: "Add the default module of Windows in certsrv.msc, Properties of the CA, Exit Module; then run this again.",
    });
  }
  const modules = textsOf(value);
  if (modules === undefined) {
    const found = `${typeName(value.type)} of ${value.data.length} bytes`;
    throw new CertwireError("CERTWIRE_CA_LIST", `${place}, is not a list of names but ${found}`);
  }
  return { key, modules, value };
}

/** True if the list has the module. */
export function hasModule(modules: readonly string[], progId: string): boolean {
  return modules.some((module) => isSameName(module, progId));
}

/** The list with our module at its end, or as it is if it has it. */
export function withCertwire(modules: readonly string[]): readonly string[] {
  return hasModule(modules, certwireExit) ? modules : [...modules, certwireExit];
}

/** The list without our module. */
export function withoutCertwire(modules: readonly string[]): readonly string[] {
  return modules.filter((module) => !isSameName(module, certwireExit));
}

/** Writes a list in the place of one that was read. Throws CERTWIRE_CA_LIST if somebody else changed it meanwhile. */
export function writeExitModules(
  windows: NativeWindows,
  list: ExitModuleList,
  modules: readonly string[],
): void {
  const place = `HKLM\\${list.key}, value Active`;
  const isWritten = calling(`${place}, cannot be written`, () =>
    windows.replaceRegistryValue(list.key, "Active", list.value, multiText(modules)),
  );
  if (isWritten) return;
  throw new CertwireError("CERTWIRE_CA_LIST", `${place}, was changed by another program just now`, {
    hint: "Run the command again.",
  });
}
