import { win32 } from "node:path";
import { expandVariables, textOf } from "../native/registry-strings.ts";
import { calling, type NativeWindows } from "../native/windows-system.ts";

/** Name of our service of Windows. */
export const certwireService = "Certwire";

const servicesKey = String.raw`SYSTEM\CurrentControlSet\Services`;

/** How Windows has a service. */
export interface ServiceSetup {
  /** Such as `NT SERVICE\Certwire`; empty for LocalSystem. */
  readonly account: string;
  /** 2 automatic, 3 manual, 4 disabled. */
  readonly start: number;
  /** The command line. */
  readonly commandLine: string;
}

/** How a service is set up; `undefined` if there is none. Throws an error of Windows. */
export function serviceSetup(windows: NativeWindows, name: string): ServiceSetup | undefined {
  const key = `${servicesKey}\\${name}`;
  const read = (value: string) =>
    calling(`HKLM\\${key} cannot be read`, () => windows.readRegistryValue(key, value));
  const commandLine = read("ImagePath");
  if (commandLine === null) return undefined;
  const account = read("ObjectName");
  const start = read("Start");
  return {
    account: (account && textOf(account)) ?? "",
    start: start?.data.length === 4 ? start.data.readUInt32LE() : 0,
    commandLine: expandVariables(textOf(commandLine) ?? ""),
  };
}

/** Where configuration, journal and state are on Windows by default. */
export function dataDirectory(): string {
  return win32.join(process.env["ProgramData"] ?? String.raw`C:\ProgramData`, "Certwire");
}

/** The configuration in a data directory. */
export function configIn(directory: string): string {
  return win32.join(directory, "config", "certwire.jsonc");
}

/** The configuration that our service reads: the one of its command line, or the default. */
export function serviceConfig({ commandLine }: ServiceSetup): string {
  return optionOf(commandLine, "--config") ?? configIn(dataDirectory());
}

/** The value of an option in a command line of Windows, such as `--config`; `undefined` without it. */
export function optionOf(commandLine: string, option: string): string | undefined {
  const pattern = new RegExp(`(?:^|\\s)"?${option}"?\\s+(?:"([^"]*)"|(\\S+))`);
  const [, quoted, plain] = pattern.exec(commandLine) ?? [];
  return quoted ?? plain;
}

/** The program of a command line of Windows. */
export function programOf(commandLine: string): string {
  const [, quoted, plain] = /^\s*(?:"([^"]*)"|(\S+))/.exec(commandLine) ?? [];
  return quoted ?? plain ?? "";
}
