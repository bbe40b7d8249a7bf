import type { Command } from "commander";
import { standardOutput } from "../../files/standard-output.ts";
import { commandsOf } from "../completion/command-words.ts";
import { bashScript, zshScript } from "../completion/posix-shells.ts";
import { powershellScript } from "../completion/powershell.ts";

/** A shell whose completion Certwire knows. */
export type Shell = "bash" | "zsh" | "powershell";

const scripts = { bash: bashScript, zsh: zshScript, powershell: powershellScript };

/** `certwire completion`: the script for a shell. */
export function printCompletion(shell: Shell, program: Command): void {
  standardOutput().post(scripts[shell](commandsOf(program)));
}
