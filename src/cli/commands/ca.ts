import type { Command } from "commander";
import type { CaChangeOptions } from "../actions/ca-change.ts";
import type { CaStatusOptions } from "../actions/ca-status.ts";
import { parseSeconds } from "../arguments.ts";

/** `certwire ca`: the exit modules that the CA of this machine loads. */
export function addCaCommand(program: Command): void {
  const ca = program
    .command("ca")
    .description("add the exit module to the CA of this machine, or remove it (Windows)")
    .helpCommand(false);
  addStatus(ca);
  addEnable(ca);
  addDisable(ca);
}

function addStatus(ca: Command): void {
  addCommon(ca.command("status"))
    .description("show which exit modules the CA loads, and what is registered for Certwire")
    .addHelpText("after", statusHelp)
    .action(async (options: CaStatusOptions) =>
      (await import("../actions/ca-status.ts")).caStatus(options),
    );
}

function addEnable(ca: Command): void {
  addChange(ca.command("enable"))
    .description("add Certwire.Exit to the CA's exit modules")
    .addHelpText("after", enableHelp)
    .action(async (options: CaChangeOptions) =>
      (await import("../actions/ca-change.ts")).caEnable(options),
    );
}

function addDisable(ca: Command): void {
  addChange(ca.command("disable"))
    .description("take Certwire.Exit from the CA's exit modules")
    .addHelpText("after", disableHelp)
    .action(async (options: CaChangeOptions) =>
      (await import("../actions/ca-change.ts")).caDisable(options),
    );
}

function addCommon(command: Command): Command {
  return command
    .option("--ca <name>", "sanitized name of the CA (default: the active one)")
    .option("--json", "print the result as JSON");
}

function addChange(command: Command): Command {
  return addCommon(command)
    .option("--restart", "restart the CA service, and those that depend on it")
    .option(
      "--timeout <seconds>",
      "how long each service may take to stop or start",
      parseSeconds,
      120,
    )
    .option("--dry-run", "show what would be done");
}

const statusHelp = `
Changes nothing. Exit codes: 0 done, 77 a right is missing, 78 there is no such CA.

Example:
  certwire ca status`;

const enableHelp = `
The other modules and their order stay. Refused if the registered DLL lies below
a user's folder, or where accounts other than administrators can change it. The
CA loads the module at its next start. On a failover cluster leave --restart
out, and restart the CA's resource. --restart is for the active CA only.

Examples:
  certwire ca enable --dry-run
  certwire ca enable --restart`;

const disableHelp = `
The other modules and their order stay. The CA unloads the module at its next
stop; its registration and the journal stay. --restart is for the active CA only.

Example:
  certwire ca disable --restart`;
