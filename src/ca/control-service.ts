import { setTimeout as delay } from "node:timers/promises";
import { CertwireError } from "../errors/certwire-error.ts";
import {
  callFailed,
  calling,
  type NativeServiceStatus,
  type NativeWindows,
  windowsErrorOf,
} from "../native/windows-system.ts";

/** Name of the service of the CA. */
export const caService = "CertSvc";

/** States of a service, in the numbers of Windows. */
const stateNames = [
  "unknown",
  "stopped",
  "starting",
  "stopping",
  "running",
  "resuming",
  "pausing",
  "paused",
] as const;

/** State of a service. */
export type ServiceState = (typeof stateNames)[number];

/** How services are controlled. */
export interface ControlOptions {
  /** Longest wait for one service to stop or to start, in ms. */
  readonly limitMs: number;
  /** Pause between two looks at a service, in ms. Default 250. */
  readonly everyMs?: number;
  /** Called before each step, with what is done. Default nothing. */
  readonly onStep?: (text: string) => void;
}

/** The state of a service; `undefined` if there is no such service. Throws an error of Windows. */
export function serviceState(windows: NativeWindows, name: string): ServiceState | undefined {
  const status = query(windows, name);
  return status === undefined ? undefined : nameOf(status);
}

/**
 * When the process of a service started, in ms since 1970; `undefined` if it has none, or that cannot be known. Throws
 * an error of Windows.
 */
export function serviceStart(windows: NativeWindows, name: string): number | undefined {
  return query(windows, name)?.startedMs ?? undefined;
}

/** The services that a stop of this one stops too, in that order. Throws an error of Windows. */
export function activeDependents(windows: NativeWindows, name: string): string[] {
  return calling(`the services that depend on ${name} cannot be listed`, () =>
    windows.listActiveDependents(name),
  );
}

/**
 * Stops a service and those that depend on it, and starts them again; starts one that is stopped. Throws
 * CERTWIRE_SERVICE_STATE, whose hint names what is stopped then, and an error of Windows.
 */
export async function restartService(
  windows: NativeWindows,
  name: string,
  options: ControlOptions,
): Promise<void> {
  const dependents = activeDependents(windows, name);
  const stopped = new Set<string>();
  try {
    for (const each of [...dependents, name]) {
      await bring(windows, each, "stopped", options);
      stopped.add(each);
    }
    for (const each of [name, ...dependents.toReversed()]) {
      await bring(windows, each, "running", options);
      stopped.delete(each);
    }
  } catch (error) {
    throw withWhatIsStopped(error, [...stopped].toReversed());
  }
}

function withWhatIsStopped(error: unknown, stopped: readonly string[]): unknown {
  if (!(error instanceof CertwireError) || stopped.length === 0) return error;
  const commands = stopped.map((name) => `net start "${name}"`).join(", then ");
  const hint = `${error.hint} Stopped now: ${stopped.join(", ")}. To start: ${commands}.`;
  return new CertwireError(error.code, error.message, { cause: error.cause, hint });
}

/** Windows refuses these for a moment: the list of services is locked, or the process of the last run still ends. */
const passingErrors = new Set([1055, 1056, 1061, 1062, 1115, 1359]);

/** A state that a service can be asked for. */
type WantedState = "stopped" | "running";

const verbs = { stopped: "stopped", running: "started" } as const;

/** Waits until a service has a state, and asks it for that once it is not on its way to another one. */
async function bring(
  windows: NativeWindows,
  name: string,
  wanted: WantedState,
  { limitMs, everyMs = 250, onStep }: ControlOptions,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  onStep?.(`${name} is being ${verbs[wanted]}`);
  let isAsked = false;
  for (;;) {
    const status = query(windows, name);
    if (status === undefined) throw stateError(name, "is not installed");
    const state = nameOf(status);
    if (state === wanted) return;
    if (isAsked && state === "stopped") throw ended(name, status);
    const isSettled = state === "stopped" || state === "running" || state === "paused";
    if (!isAsked && isSettled) isAsked = await ask(windows, name, wanted);
    if (performance.now() >= deadline) {
      throw stateError(name, `has not ${verbs[wanted]} in ${limitMs / 1000} s, it is ${state}`);
    }
    await delay(everyMs);
  }
}

/** False if Windows refuses it only for a moment. */
async function ask(windows: NativeWindows, name: string, wanted: WantedState): Promise<boolean> {
  try {
    await (wanted === "stopped" ? windows.stopService(name) : windows.startService(name));
    return true;
  } catch (error) {
    if (passingErrors.has(windowsErrorOf(error) ?? 0)) return false;
    throw callFailed(`the service ${name} cannot be ${verbs[wanted]}`, error);
  }
}

function ended(name: string, { windowsError, specificError }: NativeServiceStatus): CertwireError {
  const isSpecific = windowsError === 1066;
  const number = isSpecific ? `its error ${specificError}` : `Windows error ${windowsError}`;
  return stateError(name, `stopped again at its start: ${number}`);
}

function query(windows: NativeWindows, name: string): NativeServiceStatus | undefined {
  const status = calling(`the service ${name} cannot be queried`, () => windows.queryService(name));
  return status ?? undefined;
}

function nameOf({ state }: NativeServiceStatus): ServiceState {
  return stateNames[state] ?? "unknown";
}

function stateError(name: string, message: string): CertwireError {
  return new CertwireError("CERTWIRE_SERVICE_STATE", `the service ${name} ${message}`);
}
