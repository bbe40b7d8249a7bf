import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { exitCodes } from "../exit-codes.ts";
import { findStatus } from "../find-status.ts";
import { statusScreen } from "../status-screen.ts";

/** The options of `certwire status`. */
export interface StatusOptions {
  readonly config: string;
  readonly json?: true;
}

/** `certwire status`: how well events flow, as the running service knows it or as journal and state show. */
export async function status({ config: file, json }: StatusOptions): Promise<void> {
  const { loadConfig } = await import("../../config/load.ts");
  const { status: found } = await findStatus(loadConfig(file, { isNeeded: () => false }));
  process.exitCode = exitCodes[found.state];
  const text = json ? jsonText(found, undefined, 2) : statusScreen(found).join("\n");
  standardOutput().post(`${text}\n`);
}
