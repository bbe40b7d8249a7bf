import type { Command } from "commander";
import type { ReconcileCommandOptions } from "../actions/reconcile.ts";
import { parseTime } from "../arguments.ts";
import { addConnectOptions } from "../connect-options.ts";
import { addDatabaseOptions } from "../database-options.ts";

export function addReconcileCommand(program: Command): void {
  const command = program
    .command("reconcile")
    .description("compare the CA's database with the journal: what was never recorded (Windows)");
  addDatabaseOptions(command)
    .option("--kafka <url>", "compare with this topic instead: kafka://host1:9092/topic")
    .option(
      "--rabbitmq-stream <url>",
      "compare with this stream instead: amqp://[user@]host/vhost?stream=name",
    );
  addConnectOptions(command)
    .option(
      "--since <time>",
      "compare what changed after this time (default: since the last complete run)",
      parseTime,
    )
    .option("--full", "compare every row (default: the first time)")
    .option("--rescan", "accept a database that was restored, and compare every row")
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .action(async (options: ReconcileCommandOptions) =>
      (await import("../actions/reconcile.ts")).reconcileDatabase(options),
    );
}

const help = `
Changes nothing in the CA and publishes nothing. Needs the permission Read on the
CA. A run over every row that was stopped goes on where it was.

Exit codes: 0 the journal lacks nothing, 4 something is missing, 5 journal and
database have different certificates, 2 not on Windows, 74 database, journal or
state unreadable, 65 the journal or topic is empty, 69 broker unreachable,
75 another run, 77 refused, 78 another CA or a restored database, or password
or TLS files unusable, 130 interrupted.

Examples:
  certwire reconcile
  certwire reconcile --kafka kafkas://broker1/certificates \\
    --username audit --password-file audit-password.txt
  certwire reconcile --since 2026-01-31 --json
  certwire reconcile --full --hours 22:00-06:00 --share 20`;
