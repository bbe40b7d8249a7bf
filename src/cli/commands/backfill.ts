import type { Command } from "commander";
import type { BackfillCommandOptions } from "../actions/backfill.ts";
import { parseCount, parseTime } from "../arguments.ts";
import { addDatabaseOptions } from "../database-options.ts";

export function addBackfillCommand(program: Command): void {
  const command = program
    .command("backfill")
    .description("publish what the CA's database has and the journal lacks (Windows)")
    .requiredOption("--to-sink <name>", "send to this sink of the configuration");
  addDatabaseOptions(command)
    .option("--from-request <number>", "only requests from this one on", parseCount, 1)
    .option("--until <time>", "only what happened before", parseTime)
    .option("--rate <number>", "most events per second", parseCount, 100)
    .option("--plan", "only print what would be published")
    .addHelpText("after", help)
    .action(async (options: BackfillCommandOptions) =>
      (await import("../actions/backfill.ts")).backfill(options),
    );
}

const help = `
Each event has the origin "database" and an id that every run gives it again.
What was published is remembered for each sink: a second run publishes nothing,
and one that was stopped or killed goes on where it was. Live events of the sink
go first. Needs the permission Read on the CA.

Exit codes: 0 everything is published, 3 dead letters, 2 not on Windows or
usage, 74 database, journal or state unreadable, 75 another run, 77 refused,
78 another CA or a restored database, 130 interrupted.

Examples:
  certwire backfill --to-sink kafka --plan
  certwire backfill --to-sink kafka --until 2026-01-31 --rate 50 --hours 22:00-06:00`;
