import type { Command, Option } from "commander";
import { eventKinds } from "../../events/event.ts";
import { deadLetterReasons } from "../letter-filter.ts";

/** What may follow an option: nothing, a path, one of some words, or a text that no shell can guess. */
export type Values = "none" | "file" | "directory" | "text" | readonly string[];

/** A word that may stand in a command line. */
export interface Word {
  /** `run`, or `--config`. */
  readonly text: string;
  readonly description: string;
}

/** An option, with all its spellings. */
export interface OptionWords extends Word {
  /** `-c` and `--config`. */
  readonly flags: readonly string[];
  readonly values: Values;
}

/** What may stand after a command. */
export interface CommandWords {
  /** The words of the command, such as `journal status`; empty for the program. */
  readonly path: string;
  readonly subcommands: readonly Word[];
  readonly options: readonly OptionWords[];
  /** What its arguments are. */
  readonly argument: Values;
}

/** The program and all its commands. */
export function commandsOf(command: Command, path = ""): CommandWords[] {
  const help = command.createHelp();
  const options = help.visibleOptions(command).map(optionWords);
  const subcommands = command.commands.map((each) => ({
    text: each.name(),
    description: each.description(),
  }));
  const [argument] = command.registeredArguments;
  const words: CommandWords = {
    path,
    subcommands,
    options,
    argument: argument ? valuesOf(argument.name(), argument.argChoices) : "none",
  };
  const below = command.commands.flatMap((each) =>
    commandsOf(each, `${path} ${each.name()}`.trim()),
  );
  return [words, ...below];
}

function optionWords(option: Option): OptionWords {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined);
  const [, placeholder] = /<([^>]+)>/.exec(option.flags) ?? [];
  return {
    text: option.long ?? option.flags,
    description: option.description,
    flags,
    values: placeholder === undefined ? "none" : valuesOf(placeholder, option.argChoices),
  };
}

/** What a value may be, by what the help calls it. */
function valuesOf(name: string, choices: readonly string[] | undefined): Values {
  if (choices) return choices;
  switch (name) {
    case "file":
    case "files":
      return "file";
    case "directory":
      return "directory";
    case "kind":
      return eventKinds;
    case "reason":
      return deadLetterReasons;
    default:
      return "text";
  }
}
