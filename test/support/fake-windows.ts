import { multiText } from "../../src/native/registry-strings.ts";
import type {
  NativeServiceStatus,
  NativeWindows,
  RegistryValue,
} from "../../src/native/windows-system.ts";

/** Key of the CAs' configurations. */
export const configurationKey = String.raw`SYSTEM\CurrentControlSet\Services\CertSvc\Configuration`;

/** CLSID under which the fake registers the exit module. */
export const fakeClsid = "{FD6233A6-EBD6-466D-BAB3-65933D4EA41B}";

/** A REG_SZ as Windows stores it. */
export function singleText(text: string): RegistryValue {
  return { type: 1, data: Buffer.from(`${text}\0`, "utf16le") };
}

/** An error of the addon. */
export function windowsError(number: number): Error {
  return Object.assign(new Error(`Windows error ${number}`), { windowsError: number });
}

interface StoredValue {
  readonly key: string;
  readonly value: RegistryValue;
  readonly changedMs: number;
}

interface FakeService {
  state: number;
  /** States that the next queries show, the last of which stays. */
  next: number[];
  windowsError: number;
  specificError: number;
  startedMs: number;
  dependents: string[];
}

/** Registry and services in memory. Names of keys and services have no case, as on Windows. */
export class FakeWindows implements NativeWindows {
  readonly #values = new Map<string, StoredValue>();
  readonly #services = new Map<string, FakeService>();
  /** Its clock, which goes on with each change. */
  #now = 0;
  /** What was written or controlled, in order. */
  readonly calls: string[] = [];
  /** Number of the error that writes, or the control of services, fail with. */
  failWrite: number | undefined;
  failControl: number | undefined;
  /** Paths that others may write to. */
  readonly writable = new Set<string>();
  readonly readable = new Set<string>();
  /** Called before a value is replaced. */
  beforeReplace: () => void = () => undefined;

  /** With a CA that is active, with this list of exit modules. */
  static withCa(name: string, modules: RegistryValue | readonly string[]): FakeWindows {
    const windows = new FakeWindows();
    windows.set(configurationKey, "Active", singleText(name));
    windows.addCa(name, modules);
    windows.addService("CertSvc", "running");
    return windows;
  }

  addCa(name: string, modules: RegistryValue | readonly string[]): void {
    const value = "data" in modules ? modules : multiText(modules);
    this.set(`${configurationKey}\\${name}\\ExitModules`, "Active", value);
  }

  register(dll: string): void {
    const classes = String.raw`SOFTWARE\Classes`;
    this.set(`${classes}\\Certwire.Exit\\CLSID`, "", singleText(fakeClsid));
    this.set(`${classes}\\CLSID\\${fakeClsid}\\InprocServer32`, "", singleText(dll));
  }

  addService(name: string, state: "running" | "stopped", dependents: string[] = []): void {
    this.#services.set(name.toLowerCase(), {
      state: state === "running" ? 4 : 1,
      next: [],
      windowsError: 0,
      specificError: 0,
      startedMs: (this.#now += 1),
      dependents,
    });
  }

  /** The service of that name, whose members a test may change. */
  service(name: string): FakeService {
    const found = this.#services.get(name.toLowerCase());
    if (found === undefined) throw windowsError(1060);
    return found;
  }

  set(key: string, name: string, value: RegistryValue): void {
    this.#values.set(placeOf(key, name), { key, value, changedMs: (this.#now += 1) });
  }

  remove(key: string, name: string): void {
    this.#values.delete(placeOf(key, name));
  }

  /** The list of exit modules of a CA as it is stored. */
  modulesOf(ca: string): RegistryValue | null {
    return this.readRegistryValue(`${configurationKey}\\${ca}\\ExitModules`, "Active");
  }

  readRegistryValue(key: string, name: string): RegistryValue | null {
    return this.#values.get(placeOf(key, name))?.value ?? null;
  }

  replaceRegistryValue(
    key: string,
    name: string,
    expected: RegistryValue,
    wanted: RegistryValue,
  ): boolean {
    this.beforeReplace();
    if (this.failWrite !== undefined) throw windowsError(this.failWrite);
    const present = this.readRegistryValue(key, name);
    if (present === null) throw windowsError(2);
    if (present.type !== expected.type || !present.data.equals(expected.data)) return false;
    this.calls.push(`write ${name}`);
    this.set(key, name, wanted);
    return true;
  }

  readRegistryKeyTime(key: string): number | null {
    const times = [...this.#values.values()].filter(
      (each) => each.key.toLowerCase() === key.toLowerCase(),
    );
    return times.length === 0 ? null : Math.max(...times.map(({ changedMs }) => changedMs));
  }

  listRegistrySubkeys(key: string): string[] | null {
    const parent = `${key.toLowerCase()}\\`;
    const places = [...this.#values.values()].map((each) => each.key);
    const names = places
      .filter((place) => place.toLowerCase().startsWith(parent))
      .map((place) => place.slice(parent.length).split("\\", 1)[0] ?? "");
    const isThere = places.some((place) => place.toLowerCase() === key.toLowerCase());
    return names.length > 0 || isThere ? [...new Set(names)] : null;
  }

  queryService(name: string): NativeServiceStatus | null {
    const found = this.#services.get(name.toLowerCase());
    if (found === undefined) return null;
    found.state = found.next.shift() ?? found.state;
    const { state, windowsError: error, specificError } = found;
    const startedMs = state === 1 ? null : found.startedMs;
    return { state, windowsError: error, specificError, startedMs };
  }

  listActiveDependents(name: string): string[] {
    return this.service(name).dependents.filter((each) => this.service(each).state !== 1);
  }

  async stopService(name: string): Promise<void> {
    this.#control(name, "stop", [3, 3, 1]);
  }

  async startService(name: string): Promise<void> {
    this.#control(name, "start", [2, 2, 4]);
  }

  isWritableByOthers(path: string): boolean {
    return this.writable.has(path);
  }

  isReadableByOthers(path: string): boolean {
    return this.readable.has(path);
  }

  /** Why directories are refused, by path. */
  readonly distrusted = new Map<string, string>();
  /** Answers about signatures, by the end of the path; of other files TRUST_E_NOSIGNATURE. */
  readonly signatures = new Map<string, number>();

  distrustReason(path: string): string {
    return this.distrusted.get(path) ?? "";
  }

  verifySignature(path: string): number {
    const found = [...this.signatures].find(([end]) => path.endsWith(end));
    return found?.[1] ?? 0x800b0100;
  }

  async writeEventLogEntry(id: number, texts: readonly string[]): Promise<void> {
    this.calls.push(`entry ${id}: ${texts.join("; ")}`);
  }

  #control(name: string, what: "stop" | "start", next: number[]): void {
    if (this.failControl !== undefined) throw windowsError(this.failControl);
    this.calls.push(`${what} ${name}`);
    const found = this.service(name);
    if (what === "start") found.startedMs = this.#now += 1;
    // A test may have said already what follows.
    if (found.next.length === 0) found.next = next;
  }
}

function placeOf(key: string, name: string): string {
  return `${key}\n${name}`.toLowerCase();
}
