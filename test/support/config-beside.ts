import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Writes a configuration beside a journal: state in `state`, one sink `files` into `events`, and no limit of free space.
 * `members` replace its members. Its path.
 */
export function configBeside(journal: string, members: object = {}): string {
  const file = join(dirname(journal), "certwire.jsonc");
  const config = {
    journal: { directory: journal, minFreeMegabytes: 0 },
    state: { directory: "state" },
    sinks: [{ name: "files", url: "file:events" }],
    ...members,
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}
