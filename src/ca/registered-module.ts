import { closeSync, openSync, readSync, realpathSync } from "node:fs";
import { win32 } from "node:path";
import { expandVariables, textOf } from "../native/registry-strings.ts";
import { calling, type NativeWindows } from "../native/windows-system.ts";
import { certwireExit } from "./exit-modules.ts";

/** What Windows loads for the ProgID of our exit module. */
export interface RegisteredModule {
  /** Absent if the ProgID is not registered. */
  readonly clsid?: string;
  /** Path of the DLL as registered; absent without one. */
  readonly dll?: string;
  /** When its registration was changed last, in ms since 1970; absent without a DLL. */
  readonly registeredMs?: number;
  /** For which processor the DLL is; absent if it is not a DLL that can be read. */
  readonly machine?: string;
  /** Why a CA must not, or cannot, load it; empty if nothing is wrong. */
  readonly problems: readonly string[];
}

const classesKey = String.raw`SOFTWARE\Classes`;
const profilesKey = String.raw`SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`;

/** Reads the registration of our exit module, as certsrv resolves it. Throws an error of Windows. */
export function readRegisteredModule(windows: NativeWindows): RegisteredModule {
  const clsid = readClsid(windows);
  if (clsid === undefined) return { problems: [`the class ${certwireExit} is not registered`] };
  const dll = readText(windows, serverKey(clsid), "");
  if (dll === undefined || dll === "") {
    return { clsid, problems: [`the class ${clsid} is not registered with a DLL`] };
  }
  const machine = machineOf(dll);
  const registeredMs = registrationTime(windows);
  return {
    clsid,
    dll,
    ...(registeredMs !== undefined && { registeredMs }),
    ...(machine !== undefined && { machine }),
    problems: [...machineProblems(machine), ...placeProblems(windows, dll)],
  };
}

/** When the registration of our DLL was changed last, in ms since 1970; `undefined` without one. Throws an error of Windows. */
export function registrationTime(windows: NativeWindows): number | undefined {
  const clsid = readClsid(windows);
  if (clsid === undefined) return undefined;
  const key = serverKey(clsid);
  return (
    calling(`HKLM\\${key} cannot be read`, () => windows.readRegistryKeyTime(key)) ?? undefined
  );
}

/** `undefined` if the class is not registered, or with a text that is not a CLSID. */
function readClsid(windows: NativeWindows): string | undefined {
  const clsid = readText(windows, `${classesKey}\\${certwireExit}\\CLSID`, "");
  return clsid !== undefined && /^\{[0-9a-f-]{36}\}$/i.test(clsid) ? clsid : undefined;
}

function serverKey(clsid: string): string {
  return `${classesKey}\\CLSID\\${clsid}\\InprocServer32`;
}

function readText(windows: NativeWindows, key: string, name: string): string | undefined {
  const value = calling(`HKLM\\${key} cannot be read`, () => windows.readRegistryValue(key, name));
  return value === null ? undefined : textOf(value);
}

function machineProblems(machine: string | undefined): string[] {
  if (machine === undefined) return ["the DLL is missing, cannot be read, or is not a DLL"];
  return machine === "x64" ? [] : [`the DLL is for ${machine}, and the CA is a program for x64`];
}

function placeProblems(windows: NativeWindows, dll: string): string[] {
  const isFull = /^[a-z]:\\/i.test(dll);
  if (!isFull) return ["the DLL is not registered with a full path on a local drive"];
  const problems: string[] = [];
  const profiles = profilesDirectory(windows);
  if ([dll, realPath(dll)].some((path) => isBelow(path, profiles))) {
    problems.push(`the DLL lies below the folders of users, ${profiles}`);
  }
  if (windows.isWritableByOthers(dll)) {
    problems.push("accounts other than administrators can change the DLL or its folder");
  }
  return problems;
}

/** Where the folders of users are. */
function profilesDirectory(windows: NativeWindows): string {
  const stored = readText(windows, profilesKey, "ProfilesDirectory");
  const text = stored === undefined || stored === "" ? String.raw`%SystemDrive%\Users` : stored;
  return expandVariables(text);
}

/** Without links and short names; the path itself if there is nothing. */
function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

function isBelow(path: string, directory: string): boolean {
  const relation = win32.relative(directory.toLowerCase(), path.toLowerCase());
  return relation !== "" && !relation.startsWith("..") && !win32.isAbsolute(relation);
}

const machines: Readonly<Record<number, string>> = { 0x8664: "x64", 0x14c: "x86", 0xaa64: "arm64" };

/** The processor in the header of a program of Windows; `undefined` if it is none, or cannot be read. */
export function machineOf(path: string): string | undefined {
  try {
    const file = openSync(path, "r");
    try {
      return machineIn(file);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function machineIn(file: number): string | undefined {
  const start = Buffer.alloc(64);
  if (readSync(file, start, 0, 64, 0) < 64 || start.toString("latin1", 0, 2) !== "MZ") {
    return undefined;
  }
  const header = Buffer.alloc(6);
  const isRead = readSync(file, header, 0, 6, start.readUInt32LE(60)) === 6;
  if (!isRead || header.toString("latin1", 0, 4) !== "PE\0\0") return undefined;
  const machine = header.readUInt16LE(4);
  return machines[machine] ?? `machine 0x${machine.toString(16)}`;
}
