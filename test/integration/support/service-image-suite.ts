import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { GenericContainer, Wait } from "testcontainers";
import { until } from "../../support/until.ts";

const config = {
  journal: { directory: "/var/lib/certwire/journal" },
  state: { directory: "/var/lib/certwire/state" },
  http: { listen: "127.0.0.1:9470" },
  sinks: [{ name: "file", url: "file:///var/lib/certwire/events" }],
};

/** Registers the suite of the service's image. */
export function testServiceImage(image: string): void {
  suite("the image of the service", () => {
    test("publishes the events of a simulated CA without being root", async () => {
      const container = await new GenericContainer(image)
        .withCopyContentToContainer([
          { content: JSON.stringify(config), target: "/etc/certwire/certwire.jsonc" },
        ])
        .withWaitStrategy(Wait.forLogMessage('"started"'))
        .start();
      try {
        const run = async (...command: string[]): Promise<string> => {
          const { exitCode, stdout, output } = await container.exec(command);
          assert.equal(exitCode, 0, output);
          return stdout.trim();
        };
        assert.notEqual(await run("id", "-u"), "0");
        const certwire = ["node", "/opt/certwire/dist/cli/main.js"];
        await run(...certwire, "simulate", "-j", config.journal.directory, "-n", "25", "-r", "0");
        const count = "cat /var/lib/certwire/events/*.ndjson | wc -l";
        const isPublished = async () => Number(await run("sh", "-c", count)) >= 25;
        await until(isPublished, "all events are in the file");
        const fetched = `for (const path of ["/", "/page.js", "/page.css", "/runbooks/CertwireDown"])
          console.log((await fetch("http://127.0.0.1:9470" + path)).status);`;
        const codes = await run("node", "--input-type=module", "--eval", fetched);
        assert.equal(codes, "200\n200\n200\n200");
      } finally {
        await container.stop();
      }
    });
  });
}
