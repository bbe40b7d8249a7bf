import { join } from "node:path";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";
import { binaries, runWine, windowsPath } from "./wine.ts";

/**
 * Plays the scenario with this journal directory, a path of this machine or, with two backslashes, one of Windows;
 * what the exit module says in the event log. Wine
 * keeps no event log, but prints the texts of errors and warnings on its debug channel.
 */
export async function eventLogEntries(scenario: string, journal: string): Promise<string> {
  const result = join(makeTempDirectory("standin"), "result.ndjson");
  const args = ["--scenario", scenario, "--result", result, "--journal", journal];
  const before = process.env["WINEDEBUG"];
  process.env["WINEDEBUG"] = "-all,err+eventlog,warn+eventlog";
  try {
    const isPath = (text: string) => !text.startsWith("--") && !text.startsWith("\\\\");
    const paths = args.map((text) => (isPath(text) ? windowsPath(text) : text));
    return await runWine(binaries.standin, paths);
  } finally {
    if (before === undefined) delete process.env["WINEDEBUG"];
    else process.env["WINEDEBUG"] = before;
  }
}
