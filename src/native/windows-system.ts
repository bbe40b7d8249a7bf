import { CertwireError } from "../errors/certwire-error.ts";
import { loadNative } from "./addon.ts";

/** A value of the registry as it is stored. */
export interface RegistryValue {
  /** 1 REG_SZ, 2 REG_EXPAND_SZ, 7 REG_MULTI_SZ, and so on. */
  readonly type: number;
  readonly data: Buffer;
}

/** A service's state. */
export interface NativeServiceStatus {
  /** 1 stopped to 7 paused. */
  readonly state: number;
  /** Why it stopped or could not start; 0 without an error, 1066 for `specificError`. */
  readonly windowsError: number;
  readonly specificError: number;
  /** When its process started, in ms since 1970; `null` if it has none, or that cannot be known. */
  readonly startedMs: number | null;
}

/**
 * Registry, services and rights of files of Windows. Keys are those below HKEY_LOCAL_MACHINE in the view of 64-bit
 * programs. What fails throws an error with the number of Windows as `windowsError`.
 */
export interface NativeWindows {
  /** `null` if the key or the value is missing; an empty name is the default value. */
  readRegistryValue(key: string, name: string): RegistryValue | null;
  /** Writes a value that still is `expected`, read under the same handle; false if it is another one by now. */
  replaceRegistryValue(
    key: string,
    name: string,
    expected: RegistryValue,
    wanted: RegistryValue,
  ): boolean;
  /** When a key, or a value of it, was changed last, in ms since 1970; `null` if it is missing. */
  readRegistryKeyTime(key: string): number | null;
  /** `null` if the key is missing. */
  listRegistrySubkeys(key: string): string[] | null;
  /** `null` if there is no such service. */
  queryService(name: string): NativeServiceStatus | null;
  /** Services that depend on this one and are not stopped, those to stop first first. */
  listActiveDependents(name: string): string[];
  /** Asks a service to stop; it may still run when this resolves. */
  stopService(name: string): Promise<void>;
  /** Starts a service; it may still be starting when this resolves. */
  startService(name: string): Promise<void>;
  /** True if accounts other than administrators and the system can change or replace a file; true if that cannot be known. */
  isWritableByOthers(path: string): boolean;
  /** True if accounts other than administrators, the system and the service can read what is in a directory. */
  isReadableByOthers(path: string): boolean;
  /** Why the exit module, as the system, would not write into a directory, in words; empty if it would. */
  distrustReason(path: string): string;
  /** The answer of WinVerifyTrust about a file, without asking the network: 0 if its signature is valid. */
  verifySignature(path: string): number;
  /**
   * Writes an entry of the service into the Application log, source `Certwire`. `id` is one of
   * `addon/event_log/messages.mc`, and `texts` are what its message says in place of `%1`, `%2` and so on.
   */
  writeEventLogEntry(id: number, texts: readonly string[]): Promise<void>;
}

/** Registry, services and rights of this machine. Throws CERTWIRE_WINDOWS_ONLY elsewhere than on Windows. */
export function windowsSystem(): NativeWindows {
  const found = process.platform === "win32" ? loadNative().windows : undefined;
  if (found === undefined) {
    throw new CertwireError("CERTWIRE_WINDOWS_ONLY", `this machine runs ${process.platform}`);
  }
  return found;
}

/** Runs a call of Windows. `what` begins the message of its error, such as `HKLM\X cannot be read`. */
export function calling<T>(what: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw callFailed(what, error);
  }
}

/** The number that Windows gave; `undefined` for an error of another kind. */
export function windowsErrorOf(error: unknown): number | undefined {
  const { windowsError } = Object(error) as { windowsError?: unknown };
  return typeof windowsError === "number" ? windowsError : undefined;
}

const accessDenied = 5;

/** The error of a call of Windows; one of another kind is returned as it is. */
export function callFailed(what: string, error: unknown): unknown {
  const number = windowsErrorOf(error);
  if (number === undefined) return error;
  const code = number === accessDenied ? "CERTWIRE_WINDOWS_ACCESS" : "CERTWIRE_WINDOWS_FAILED";
  return new CertwireError(code, `${what}: Windows error ${number}`);
}
