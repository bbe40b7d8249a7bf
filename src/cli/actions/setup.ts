import { dirname, join } from "node:path";
import { parseConfig } from "../../config/load.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { exitCodes } from "../exit-codes.ts";
import { alignRows, inLine, say } from "../output.ts";
import { configText } from "../setup/config-text.ts";
import { type Dialog, openDialog } from "../setup/dialog.ts";
import { isReplaced, type PlannedFile, planFiles, writeFiles } from "../setup/files.ts";
import {
  assertCombination,
  type SetupOptions,
  type SetupPlaces,
  setupPlaces,
} from "../setup/options.ts";
import { collectSinks, type PlannedSink } from "../setup/sinks.ts";
import { planWindowsSteps, type WindowsSteps, windowsFor } from "../setup/windows-steps.ts";
import { check } from "./check.ts";

/** What a setup does. */
interface SetupPlan {
  readonly places: SetupPlaces;
  /** Secrets first, so that no configuration names one that is not there. */
  readonly files: readonly PlannedFile[];
  /** Absent elsewhere than on Windows. */
  readonly steps?: WindowsSteps;
}

/** `certwire setup`: writes a configuration, checks it, and starts what was asked for. */
export async function setup(options: SetupOptions): Promise<void> {
  assertCombination(options);
  const dialog = options.yes ? undefined : openDialog();
  const plan = await agreedPlan(options, dialog).finally(() => dialog?.close());
  if (plan === undefined) return;
  await writeFiles(plan.files);
  say(`certwire: written: ${plan.files.map(({ path }) => path).join(", ")}`);
  const { config } = plan.places;
  try {
    await check({ config, timeout: options.timeout, ...(options.offline && { offline: true }) });
  } catch (error) {
    sayNothingStarted(plan);
    throw error;
  }
  if ((process.exitCode ?? exitCodes.ok) !== exitCodes.ok) return sayNothingStarted(plan);
  await plan.steps?.run();
  const commands = commandsLeft(plan);
  say(commands.length === 0 ? "certwire: done" : "certwire: done. Left to do:");
  for (const command of commands) say(`  ${command}`);
  for (const note of notes(plan)) say(note);
}

/** The plan, after it was shown and agreed to; `undefined` if nothing is to be done. */
async function agreedPlan(
  options: SetupOptions,
  dialog: Dialog | undefined,
): Promise<SetupPlan | undefined> {
  const places = setupPlaces(options);
  const windows = windowsFor(options);
  const mayReplace = options.replace ?? false;
  // Before the first question.
  await isReplaced(places.config, mayReplace);
  const sinks = await collectSinks(options, dialog);
  const text = configText(
    places,
    sinks.map(({ entry }) => entry),
  );
  // Before anything is written: what is wrong in the combination of all keys.
  parseConfig(places.config, text, { isNeeded: () => false });
  const files = await planFiles(filesOf(places, sinks, text), mayReplace, windows);
  const steps = windows && (await planWindowsSteps(options, dialog, windows, places.config));
  const plan: SetupPlan = { places, files, ...(steps && { steps }) };
  standardOutput().post(`${planText(plan)}\n`);
  if (options.dryRun) {
    standardOutput().post(`\n${text}`);
    say("certwire: nothing was changed (--dry-run)");
    return undefined;
  }
  if (dialog === undefined || (await dialog.confirm("Go ahead"))) return plan;
  say("certwire: nothing was changed");
  return undefined;
}

function filesOf(
  { config }: SetupPlaces,
  sinks: readonly PlannedSink[],
  text: string,
): PlannedFile[] {
  const secrets = sinks.flatMap(({ secret }): PlannedFile[] => {
    if (secret === undefined) return [];
    const path = join(dirname(config), secret.fileName);
    return [{ path, access: "private", text: `${secret.text}\n` }];
  });
  return [...secrets, { path: config, access: "shared", text }];
}

function planText({ places, files, steps }: SetupPlan): string {
  const rows = files.flatMap(({ path, access, copy }) => [
    [access === "private" ? "secret" : "configuration", path],
    ...(copy === undefined ? [] : [["  keeps a copy", copy]]),
  ]);
  const all = [
    ...rows,
    ["journal", places.journal],
    ["state", places.state],
    ["then", "a check of the configuration"],
  ];
  const lines = alignRows(all.map((row) => row.map(inLine)));
  return [...lines, ...(steps?.lines ?? [])].join("\n");
}

function sayNothingStarted(plan: SetupPlan): void {
  say("certwire: nothing was started. Correct what the check found, then run:");
  const commands = [`certwire check --config ${plan.places.config}`, ...commandsLeft(plan)];
  for (const command of commands) say(`  ${command}`);
}

/** What starts what is not running by now. */
function commandsLeft({ places, steps }: SetupPlan): string[] {
  return steps === undefined ? [`certwire run --config ${places.config}`] : steps.left();
}

function notes({ files, steps }: SetupPlan): string[] {
  if (steps !== undefined) return [];
  const secrets = files.filter(({ access }) => access === "private");
  return secrets.map(({ path }) => `note: only the account of this command may read ${path}`);
}
