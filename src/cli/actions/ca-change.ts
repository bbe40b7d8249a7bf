import { type ListChange, planDisable, planEnable } from "../../ca/change-list.ts";
import { activeDependents, type Clock, caService } from "../../ca/control-service.ts";
import { certwireExit, hasModule } from "../../ca/exit-modules.ts";
import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { type NativeWindows, windowsSystem } from "../../native/windows-system.ts";
import { alignRows, inLine, say } from "../output.ts";
import { restart } from "../restart.ts";
import { usage } from "../verify/credentials.ts";

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
  await changeList(windows, planEnable(windows, options.ca), options);
}

/** `certwire ca disable`: takes our exit module from the list of the CA. */
export async function caDisable(options: CaChangeOptions): Promise<void> {
  const windows = windowsSystem();
  await changeList(windows, planDisable(windows, options.ca), options);
}

/**
 * Carries a plan out, and says what it does and what is left. Throws CERTWIRE_USAGE, before anything else, if the restart
 * would be that of another CA; otherwise as `ListChange.apply` and `restartService`.
 */
export async function changeList(
  windows: NativeWindows,
  plan: ListChange,
  options: CaChangeOptions,
): Promise<void> {
  const { restart: isRestart, timeout, dryRun, json } = options;
  if (isRestart && !plan.isActive) {
    throw usage(
      `--restart would restart the active CA, and "${inLine(plan.ca)}" is another one`,
      "Leave --restart out: a CA reads its list when it starts.",
    );
  }
  const services = isRestart ? [caService, ...activeDependents(windows, caService)] : [];
  if (!json) standardOutput().post(`${planLines(plan, services).join("\n")}\n`);
  if (!dryRun) {
    plan.apply();
    if (isRestart) await restartCa(windows, plan, { limitMs: timeout * 1000 });
  }
  if (json) standardOutput().post(`${jsonText(result(plan, services, dryRun), undefined, 2)}\n`);
  else say(`certwire: ${whatIsLeft(plan, options)}`);
}

/**
 * Restarts the CA service, which then runs with the list of the plan. Throws as `restartService`; if the service does not
 * start with our exit module, the hint says how to start it without.
 */
export async function restartCa(
  windows: NativeWindows,
  plan: ListChange,
  options: { readonly limitMs: number; readonly clock?: Clock },
): Promise<void> {
  const isOurs = hasModule(plan.after, certwireExit);
  await restart(windows, caService, { ...options, ...(isOurs && { ifNotStarted: startWithout }) });
}

const startWithout = `If it does not start with ${certwireExit}: certwire ca disable, then net start "${caService}".`;

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
