import { existsSync } from "node:fs";
import { join } from "node:path";
import { fetchNode, type NodeLine } from "../../../scripts/release/node-runtime.ts";
import { makeStage, type Stage } from "../../../scripts/release/stage.ts";
import { runCommand } from "../../integration/support/run-command.ts";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";
import { windowsBuild } from "../../wine/support/wine.ts";

/** Time of the trees, in s since 1970. */
export const epochSeconds = 1_700_000_000;

/** Line of the Node.js that these trees hold: the one of a release, where the Wine of this run starts it. */
export const stagedLine: NodeLine = process.env["CERTWIRE_WINDOWS_NODE"] === "24" ? "24" : "22";

/** Directory with the Windows binaries of a release; a whole `npm test` has built them before. */
export async function windowsBinaries(): Promise<string> {
  const files = ["certwire-exit.dll", "certwire-service.exe", "certwire.node", "certwire-msi.dll"];
  if (!files.every((file) => existsSync(join(windowsBuild, file)))) {
    const targets = ["certwire_exit", "certwire-service", "certwire_node", "certwire_msi"];
    await runCommand("bash", ["scripts/build-windows.sh", ...targets], { timeoutMs: 900_000 });
  }
  return windowsBuild;
}

/** The tree of an installed version. */
export async function stagedTree(line: NodeLine): Promise<Stage> {
  return makeStage({
    directory: join(makeTempDirectory("stage"), "tree"),
    windowsBuild: await windowsBinaries(),
    node: fetchNode(line),
    epochSeconds,
  });
}
