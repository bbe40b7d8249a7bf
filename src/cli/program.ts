import { Command } from "commander";
import { packageVersion } from "../files/package-version.ts";
import { standardOutput } from "../files/standard-output.ts";
import { addCaCommand } from "./commands/ca.ts";
import { addCheckCommand } from "./commands/check.ts";
import { addCompletionCommand } from "./commands/completion.ts";
import { addDeadLettersCommand } from "./commands/dead-letters.ts";
import { addDemoCommand } from "./commands/demo.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addExplainCommand } from "./commands/explain.ts";
import { addJournalCommand } from "./commands/journal.ts";
import { addReconcileCommand } from "./commands/reconcile.ts";
import { addReplayCommand } from "./commands/replay.ts";
import { addRunCommand } from "./commands/run.ts";
import { addSetupCommand } from "./commands/setup.ts";
import { addSimulateCommand } from "./commands/simulate.ts";
import { addStatusCommand } from "./commands/status.ts";
import { addTapCommand } from "./commands/tap.ts";
import { addTopCommand } from "./commands/top.ts";
import { addVerifyCommand } from "./commands/verify.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { sayError } from "./output.ts";

/** The command line with all its commands. */
export function createProgram(): Command {
  const program = new Command("certwire")
    .description("Publishes everything an AD CS certification authority does, as events.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .showHelpAfterError("(run with --help for usage)")
    .addHelpText("after", exitCodeHelp)
    .exitOverride()
    .configureOutput({ writeOut: (text) => standardOutput().post(text) });
  addSetupCommand(program);
  addRunCommand(program);
  addCheckCommand(program);
  addStatusCommand(program);
  addTopCommand(program);
  addDoctorCommand(program);
  addCaCommand(program);
  addReplayCommand(program);
  addDeadLettersCommand(program);
  addVerifyCommand(program);
  addReconcileCommand(program);
  addTapCommand(program);
  addJournalCommand(program);
  addExplainCommand(program);
  addCompletionCommand(program);
  addSimulateCommand(program);
  addDemoCommand(program);
  return program;
}

const exitCodeHelp = `
Exit codes:
  0 done   1 internal error   2 usage error   3 dead letters   4 holes
  10 degraded   11 failing
  65 bad data   69 broker unreachable   74 disk error   75 directory in use
  77 access denied   78 configuration   130 interrupted`;

/** Runs one command, prints its error to standard error, and resolves to the exit code. Never rejects. */
export async function runProgram(arguments_: readonly string[]): Promise<number> {
  // What people read may be lost (a full disk, a closed terminal); the work goes on.
  process.stderr.on("error", () => undefined);
  const command = createProgram().parseAsync(arguments_, { from: "user" });
  const failures = [await failureOf(command), await failureOf(standardOutput().finished())];
  const exitCode = failures.findLast((code) => code !== undefined) ?? process.exitCode;
  return typeof exitCode === "number" ? exitCode : exitCodes.ok;
}

/** Exit code of a step that failed, whose error is printed; `undefined` if it did not. */
async function failureOf(step: Promise<unknown>): Promise<number | undefined> {
  try {
    await step;
    return undefined;
  } catch (error) {
    sayError(error);
    return exitCodeOf(error);
  }
}
