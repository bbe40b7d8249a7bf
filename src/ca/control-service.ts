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

/** The time that a wait for a service takes. */
export interface Clock {
  /** In ms, from a start of its own. */
  now(): number;
  /** Resolves after `ms`. */
  wait(ms: number): Promise<unknown>;
}

/** How services are controlled. */
export interface ControlOptions {
  /** Longest wait for one service to stop or to start, in ms. */
  readonly limitMs: number;
  /** Called before each step, with what is done. Default nothing. */
  readonly onStep?: (text: string) => void;
  /** What the hint adds if the service itself does not start again. Default nothing. */
  readonly ifNotStarted?: string;
  /** Default the clock of this process. */
  readonly clock?: Clock;
}

const processClock: Clock = { now: () => performance.now(), wait: (ms) => delay(ms) };

/** Pause between two queries of a service, in ms. */
const pauseMs = 250;

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

/** The last known state of each service of a restart. */
type KnownStates = Map<string, ServiceState>;

/**
 * Stops a service and those that depend on it, and starts them again; starts one that is stopped. Throws
 * CERTWIRE_SERVICE_STATE and an error of Windows; the hint of either names what is stopped, or still stops, and the
 * commands that start it.
 */
export async function restartService(
  windows: NativeWindows,
  name: string,
  options: ControlOptions,
): Promise<void> {
  const dependents = activeDependents(windows, name);
  const inOrderOfStart = [name, ...dependents.toReversed()];
  const states: KnownStates = new Map();
  let isStopped = false;
  try {
    for (const each of [...dependents, name]) {
      await bring(windows, each, "stopped", states, options);
    }
    isStopped = true;
    for (const each of inOrderOfStart) await bring(windows, each, "running", states, options);
  } catch (error) {
    const isNotStarted = isStopped && states.get(name) !== "running";
    throw withHints(error, [
      ...startHints(inOrderOfStart, states),
      ...(isNotStarted && options.ifNotStarted !== undefined ? [options.ifNotStarted] : []),
    ]);
  }
}

function withHints(error: unknown, hints: readonly string[]): unknown {
  if (!(error instanceof CertwireError) || hints.length === 0) return error;
  const hint = [error.hint, ...hints].join(" ");
  return new CertwireError(error.code, error.message, { cause: error.cause, hint });
}

/** Which services are stopped or are going to be, and what starts them. */
function startHints(inOrderOfStart: readonly string[], states: KnownStates): string[] {
  const namesIn = (...wanted: readonly ServiceState[]): string[] =>
    inOrderOfStart.filter((each) => wanted.some((state) => state === states.get(each)));
  const [stopped, stopping, starting] = [
    namesIn("stopped"),
    namesIn("stopping").join(", "),
    namesIn("starting").join(", "),
  ];
  const commands = namesIn("stopped", "stopping").map((each) => `net start "${each}"`);
  if (commands.length === 0) return [];
  const all = commands.join(", then ");
  const first = stopped.length === 0 ? [] : [`Stopped now: ${stopped.join(", ")}.`];
  if (stopping !== "") {
    const still = `${stopping} is still stopping, and nothing starts it again.`;
    return [...first, still, `Once it has stopped: ${all}.`];
  }
  return [...first, starting === "" ? `To start: ${all}.` : `Once ${starting} runs: ${all}.`];
}

/** Windows refuses these for a moment: the list of services is locked, or the process of the last run still ends. */
const passingErrors = new Set([1055, 1056, 1061, 1062, 1115, 1359]);

/** The service got the request and did not answer Windows in time; it may still act on it. */
const lateAnswer = 1053;

/** A state that a service can be asked for. */
type WantedState = "stopped" | "running";

const verbs = { stopped: "stop", running: "start" } as const;
const participles = { stopped: "stopped", running: "started" } as const;

/** Waits until a service has a state, and asks it for that once it is not on its way to another one. */
async function bring(
  windows: NativeWindows,
  name: string,
  wanted: WantedState,
  states: KnownStates,
  { limitMs, onStep, clock = processClock }: ControlOptions,
): Promise<void> {
  const deadline = clock.now() + limitMs;
  let asked: WantedState | undefined;
  let isSaid = false;
  for (;;) {
    const status = installed(windows, name);
    const state = nameOf(status);
    states.set(name, knownState(state, asked));
    if (state === wanted) return;
    if (!isSaid) onStep?.(`${name} is being ${participles[wanted]}`);
    isSaid = true;
    if (asked !== undefined && state === "stopped") throw ended(name, status);
    if (clock.now() >= deadline) {
      const limit = `${limitMs / 1000} s`;
      throw stateError(name, `did not ${verbs[wanted]} within ${limit}; its state is ${state}`);
    }
    if (asked === undefined && settled.has(state) && (await ask(windows, name, wanted))) {
      asked = wanted;
      states.set(name, wanted === "stopped" ? "stopping" : "starting");
    } else {
      // Not after a request, which may have taken long: the deadline is for the state after it.
      await clock.wait(pauseMs);
    }
  }
}

/** States in which a service takes a request. */
const settled: ReadonlySet<ServiceState> = new Set(["stopped", "running", "paused"]);

/** A service that was asked to stop is going to, even while it still says that it runs. */
function knownState(state: ServiceState, asked: WantedState | undefined): ServiceState {
  return asked === "stopped" && state !== "stopped" ? "stopping" : state;
}

/** False if Windows refuses it only for a moment. */
async function ask(windows: NativeWindows, name: string, wanted: WantedState): Promise<boolean> {
  try {
    await (wanted === "stopped" ? windows.stopService(name) : windows.startService(name));
    return true;
  } catch (error) {
    const number = windowsErrorOf(error) ?? 0;
    if (passingErrors.has(number)) return false;
    if (wanted === "stopped" && number === lateAnswer) return true;
    throw callFailed(`the service ${name} cannot be ${participles[wanted]}`, error);
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

function installed(windows: NativeWindows, name: string): NativeServiceStatus {
  const status = query(windows, name);
  if (status === undefined) throw stateError(name, "is not installed");
  return status;
}

function nameOf({ state }: NativeServiceStatus): ServiceState {
  return stateNames[state] ?? "unknown";
}

function stateError(name: string, message: string): CertwireError {
  return new CertwireError("CERTWIRE_SERVICE_STATE", `the service ${name} ${message}`);
}
