import type { Command } from "commander";
import type { SinkKind } from "../../sinks/sink-kind.ts";
import type { DoctorOptions } from "../actions/doctor.ts";
import { parseCount } from "../arguments.ts";
import { defaultConfigFile } from "../default-config.ts";

export function addDoctorCommand(program: Command, kinds?: readonly SinkKind[]): void {
  program
    .command("doctor")
    .description("examine every link from the CA to the brokers, and say what to do")
    .option("-c, --config <file>", `configuration file (default: ${defaultConfigFile()})`)
    .option("--offline", "do not connect to the sinks")
    .option("--timeout <seconds>", "how long to wait for each sink", parseCount, 15)
    .option("--collect <file>", "write a zip file for whoever helps, without secrets and names")
    .option("--with-names", "with --collect: keep the names of hosts, users and CAs")
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .action(async (options: DoctorOptions) =>
      (await import("../actions/doctor.ts")).doctor(options, kinds),
    );
}

const help = `
Each check ends as ok, warn, error or skipped, in the order of an event's way.
Nothing is published and no checkpoint moves; a sink with a topology declares it,
as at a start of the service. Run it with the rights of an administrator.

--collect writes results, configuration, versions, the lists of segments and
state files, and the end of the logs: no events. Look into it before you send it.

Exit codes: 0 ok, 10 a warning, 11 an error.

Examples:
  certwire doctor
  certwire doctor --config certwire.jsonc --collect certwire-doctor.zip`;
