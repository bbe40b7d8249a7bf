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

/** A version as the resources of a program have it: `1.2.0-rc.1` is `1.2.0` there. */
export function numbersOf(version: string): string {
  return version.replace(/[-+].*$/, "");
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
