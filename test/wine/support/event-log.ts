import { join } from "node:path";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";
import { binaries, runWine, windowsPath } from "./wine.ts";

/**
 * Runs a step whose programs print what they write into the event log on standard error: Wine keeps no event log, but
 * prints the texts of entries on its debug channel, without the message around them.
 */
export async function withEventLogTexts<T>(step: () => Promise<T>): Promise<T> {
  const before = process.env["WINEDEBUG"];
  process.env["WINEDEBUG"] = "-all,err+eventlog,warn+eventlog,trace+eventlog";
  try {
    return await step();
  } finally {
    if (before === undefined) delete process.env["WINEDEBUG"];
    else process.env["WINEDEBUG"] = before;
  }
}

/**
 * Plays the scenario with this journal directory, a path of this machine or, with two backslashes, one of Windows;
 * what the exit module says in the event log.
 */
export async function eventLogEntries(scenario: string, journal: string): Promise<string> {
  const result = join(makeTempDirectory("standin"), "result.ndjson");
  const args = ["--scenario", scenario, "--result", result, "--journal", journal];
  const isPath = (text: string) => !text.startsWith("--") && !text.startsWith("\\\\");
  const paths = args.map((text) => (isPath(text) ? windowsPath(text) : text));
  return withEventLogTexts(() => runWine(binaries.standin, paths));
}
