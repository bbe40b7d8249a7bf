// `certwire check` with the toy kind at the end of the registry's list. Arguments: those of the command.
import { Command } from "commander";
import { addCheckCommand } from "../../src/cli/commands/check.ts";
import { sinkKinds } from "../../src/sinks/registry.ts";
import { toy } from "./toy-sink.ts";

const program = new Command();
addCheckCommand(program, [...sinkKinds, toy]);
await program.parseAsync();
