import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { exitCodes } from "../exit-codes.ts";
import { statusOnDisk } from "../status-on-disk.ts";
import { statusScreen } from "../status-screen.ts";

/** The options of `certwire status`. */
export interface StatusOptions {
  readonly config: string;
  readonly json?: true;
}

/** `certwire status`: how well events flow, from the journal and the state directory alone. */
export async function status({ config: file, json }: StatusOptions): Promise<void> {
  const { loadConfig } = await import("../../config/load.ts");
  const found = await statusOnDisk(loadConfig(file, { isNeeded: () => false }));
  process.exitCode = exitCodes[found.state];
  const text = json ? jsonText(found, undefined, 2) : statusScreen(found).join("\n");
  standardOutput().post(`${text}\n`);
}
