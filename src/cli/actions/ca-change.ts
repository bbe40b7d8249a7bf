import { type ListChange, planDisable, planEnable } from "../../ca/change-list.ts";
import { activeDependents, caService, restartService } from "../../ca/control-service.ts";
import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { type NativeWindows, windowsSystem } from "../../native/windows-system.ts";
import { alignRows, inLine, say } from "../output.ts";

/** The options of `certwire ca enable` and `disable`. */
export interface CaChangeOptions {
  readonly ca?: string;
  readonly restart?: true;
  /** Longest wait for one service, in s. */
  readonly timeout: number;
  readonly dryRun?: true;
  readonly json?: true;
}

/** `certwire ca enable`: adds our exit module to the list of the CA. */
export async function caEnable(options: CaChangeOptions): Promise<void> {
  const windows = windowsSystem();
  await change(windows, planEnable(windows, options.ca), options);
}

/** `certwire ca disable`: takes our exit module from the list of the CA. */
export async function caDisable(options: CaChangeOptions): Promise<void> {
  const windows = windowsSystem();
  await change(windows, planDisable(windows, options.ca), options);
}

async function change(
  windows: NativeWindows,
  plan: ListChange,
  options: CaChangeOptions,
): Promise<void> {
  const { restart, timeout, dryRun, json } = options;
  const services = restart ? [caService, ...activeDependents(windows, caService)] : [];
  if (!json) standardOutput().post(`${planLines(plan, services).join("\n")}\n`);
  if (!dryRun) {
    plan.apply();
    if (restart) await restartCa(windows, timeout * 1000);
  }
  if (json) standardOutput().post(`${jsonText(result(plan, services, dryRun), undefined, 2)}\n`);
  else say(`certwire: ${whatIsLeft(plan, options)}`);
}

/** Restarts the CA service; Ctrl-C in between would leave it stopped, so it only says so. */
export async function restartCa(windows: NativeWindows, limitMs: number): Promise<void> {
  const wait = (): void => say("certwire: the CA service is being restarted, please wait");
  process.on("SIGINT", wait);
  try {
    const onStep = (text: string): void => say(`certwire: ${text}`);
    await restartService(windows, caService, { limitMs, onStep });
  } finally {
    process.off("SIGINT", wait);
  }
}

/** What a change does, for people. */
export function planLines(plan: ListChange, services: readonly string[]): string[] {
  const list = (modules: readonly string[]): string => modules.map(inLine).join(", ") || "none";
  const rows = [
    ["CA", inLine(plan.ca)],
    ["exit modules", list(plan.before)],
    ["become", plan.isChange ? list(plan.after) : "the same: nothing to change"],
    ...(services.length > 0 ? [["restarted", services.map(inLine).join(", ")]] : []),
  ];
  const note = `note: ${caService} does not run this CA, but the active one`;
  return [...alignRows(rows), ...(plan.isActive ? [] : [note])];
}

function whatIsLeft(plan: ListChange, done: Pick<CaChangeOptions, "restart" | "dryRun">): string {
  if (done.dryRun) return "nothing was changed (--dry-run)";
  if (done.restart) return "the CA service runs with this list";
  if (!plan.isRestartNeeded) return plan.isChange ? "done" : "nothing to do";
  return `left to do: restart the CA service, which reads the list at its start: net stop ${caService} && net start ${caService}`;
}

function result(plan: ListChange, services: readonly string[], dryRun: true | undefined) {
  const { ca, isActive, before, after, isChange } = plan;
  const isRestarted = services.length > 0 && dryRun === undefined;
  return {
    ca,
    isActive,
    before,
    after,
    isChange,
    isDryRun: dryRun ?? false,
    services,
    isRestartNeeded: plan.isRestartNeeded && !isRestarted,
  };
}
