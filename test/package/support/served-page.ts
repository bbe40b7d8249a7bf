import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "../../integration/support/free-ports.ts";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";
import { ask } from "../../support/http-client.ts";
import { until } from "../../support/until.ts";

/** Runs the service of an installation, and asserts that it serves the status page with its files and the runbooks. */
export async function assertServesPage(program: string): Promise<void> {
  const directory = makeTempDirectory("page");
  const [port = 0] = await freePorts(1);
  const config = join(directory, "certwire.json");
  const text = JSON.stringify({
    journal: { directory: "journal" },
    state: { directory: "state" },
    http: { listen: `127.0.0.1:${port}` },
    sinks: [{ name: "files", url: "file:events" }],
  });
  writeFileSync(config, text);
  const service = spawn(process.execPath, [program, "run", "--config", config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  service.stderr.setEncoding("utf8").on("data", (part: string) => (errors += part));
  const ended = new Promise((resolve) => service.once("exit", resolve));
  const giveUp = (): void => assert.equal(service.exitCode, null, errors);
  try {
    const page = await until(() => ask("/", { port }), "the page is served", {
      mayThrow: true,
      giveUp,
      everyMs: 50,
    });
    assert.match(page.body, /<title>Certwire<\/title>/);
    for (const path of ["/page.js", "/page.css", "/icon.svg", "/runbooks/CertwireSinkDown"]) {
      const { code, body } = await ask(path, { port });
      assert.equal(code, 200, path);
      assert.ok(body.length > 100, path);
    }
  } finally {
    service.kill("SIGKILL");
    await ended;
  }
}
