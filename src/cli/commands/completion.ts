import { Argument, type Command } from "commander";
import type { Shell } from "../actions/completion.ts";

export function addCompletionCommand(program: Command): void {
  program
    .command("completion")
    .description("print the script that completes commands and options in a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "powershell"]))
    .addHelpText("after", help)
    .action(async (shell: Shell) =>
      (await import("../actions/completion.ts")).printCompletion(shell, program),
    );
}

const help = `
Put one of these lines into the start-up file of the shell:
  bash        source <(certwire completion bash)
  zsh         source <(certwire completion zsh)      (after compinit)
  PowerShell  certwire completion powershell | Out-String | Invoke-Expression`;
