import { type Command, InvalidArgumentError } from "commander";
import type { ListOptions } from "../actions/dead-letters-list.ts";
import type { RedriveCommandOptions } from "../actions/dead-letters-redrive.ts";
import { parseCount } from "../arguments.ts";
import { configOption } from "../default-config.ts";
import { deadLetterReasons, type LetterFilter } from "../letter-filter.ts";

/** `certwire dead-letters`: what could not be published. */
export function addDeadLettersCommand(program: Command): void {
  const letters = program
    .command("dead-letters")
    .description("list what could not be published, and publish it once the cause is removed")
    .helpCommand(false);
  addListCommand(letters);
  addShowCommand(letters);
  addRedriveCommand(letters);
}

function addListCommand(letters: Command): void {
  addFilter(letters.command("list"))
    .description("count the dead letters and list the newest")
    .option("--limit <number>", "how many to list", parseCount, 20)
    .option("--json", "print every one as a line of JSON, without its event")
    .addHelpText("after", listHelp)
    .action(async (options: ListOptions) =>
      (await import("../actions/dead-letters-list.ts")).listDeadLetters(options),
    );
}

function addShowCommand(letters: Command): void {
  letters
    .command("show")
    .description("print one dead letter whole, as JSON")
    .argument("<id>", "its id, as the list shows it")
    .addOption(configOption("configuration file (its secrets are not read)"))
    .action(async (id: string, options: LetterFilter) =>
      (await import("../actions/dead-letters-show.ts")).showDeadLetter(id, options),
    );
}

function addRedriveCommand(letters: Command): void {
  addFilter(letters.command("redrive"))
    .description("publish dead letters to their sinks again: same ids, marked as replayed")
    .option("--id <id>", "this one; may be repeated", collect)
    .option("--to-sink <name>", "publish to this sink instead, when theirs was renamed or removed")
    .option("--delete", "delete each file whose letters have all been redriven, now or before")
    .option("--dry-run", "only print the plan")
    .addHelpText("after", redriveHelp)
    .action(async (options: RedriveCommandOptions) =>
      (await import("../actions/dead-letters-redrive.ts")).redriveDeadLetters(options),
    );
}

function addFilter(command: Command): Command {
  return command
    .addOption(configOption("configuration file"))
    .option("--sink <name>", "those of this sink; may be repeated", collect)
    .option("--reason <reason>", `those with this reason; may be repeated`, collectReason);
}

function collect(text: string, previous: readonly string[] = []): string[] {
  return [...previous, text];
}

function collectReason(text: string, previous: readonly string[] = []): string[] {
  if ((deadLetterReasons as readonly string[]).includes(text)) return [...previous, text];
  throw new InvalidArgumentError(`Reasons: ${deadLetterReasons.join(", ")}.`);
}

const listHelp = `
The service may go on meanwhile. A letter that was redriven stays in its file and is listed as such.

Examples:
  certwire dead-letters list --config /etc/certwire/certwire.jsonc
  certwire dead-letters list --config certwire.jsonc --reason unroutable --json`;

const redriveHelp = `
The plan is printed to standard error before a secret is read or anything is sent. The service may go on meanwhile.
A letter is marked once the sink has acknowledged its events, with all other letters of the same event, and is not
sent again. What the sink refuses stays where it is.
Exit codes: 0 done, 3 some letters were refused or cannot be decoded, 75 another redrive is running, 130 interrupted.

Examples:
  certwire dead-letters redrive --config certwire.jsonc --sink rabbit --dry-run
  certwire dead-letters redrive --config certwire.jsonc --delete`;
