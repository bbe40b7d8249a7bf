import { readFileSync } from "node:fs";
import { expandVariables, textOf } from "../native/registry-strings.ts";
import { calling, type NativeWindows } from "../native/windows-system.ts";
import type { InstalledCa } from "./choose-ca.ts";
import { certwireExit } from "./exit-modules.ts";

/** `VS_FIXEDFILEINFO` begins with its signature and the version of the structure, 1.0. */
const fixedFileInfo = Buffer.from("bd04effe00000100", "hex");

/** The version in the resources of a program of Windows, such as `1.2.0`; `undefined` if it has none, or cannot be read. */
export function fileVersionOf(path: string): string | undefined {
  try {
    const content = readFileSync(path);
    const at = content.indexOf(fixedFileInfo);
    if (at < 0) return undefined;
    const [high, low] = [content.readUInt32LE(at + 8), content.readUInt32LE(at + 12)];
    return [high >>> 16, high & 0xffff, low >>> 16].join(".");
  } catch {
    return undefined;
  }
}

/** Where the exit module of a CA writes, with variables expanded. Throws an error of Windows. */
export function moduleJournal(windows: NativeWindows, { key }: InstalledCa): string {
  const place = `${key}\\ExitModules\\${certwireExit}`;
  const value = calling(`HKLM\\${place} cannot be read`, () =>
    windows.readRegistryValue(place, "JournalDirectory"),
  );
  const text = value === null ? undefined : textOf(value);
  return expandVariables(text === undefined || text === "" ? defaultJournal : text);
}

const defaultJournal = String.raw`%ProgramData%\Certwire\journal`;

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

/** The program of a command line of Windows. */
export function programOf(commandLine: string): string {
  const [, quoted, plain] = /^\s*(?:"([^"]*)"|(\S+))/.exec(commandLine) ?? [];
  return quoted ?? plain ?? "";
}
