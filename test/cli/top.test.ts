import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";
import xterm from "@xterm/headless";
import { CliTerminal } from "../support/cli-terminal.ts";
import { runCli, startCli } from "../support/run-cli.ts";
import { flushed, journalDirectory, openSmall, record } from "../support/small-journal.ts";

test("top shows journal and sinks on another screen, follows the keys, and gives the terminal back", async (t) => {
  const journal = journalDirectory(t);
  const simulator = openSmall(journal);
  t.after(() => simulator.close());
  record(simulator, 1, 20);
  await flushed(simulator);
  const file = join(dirname(journal), "certwire.json");
  const state = { directory: join(dirname(journal), "state") };
  const sinks = [
    { name: "files", url: "file:events" },
    { name: "other", url: "file:others" },
  ];
  // Nobody listens there, so the figures are from the disk.
  const http = { listen: `unix:${join(dirname(journal), "http.sock")}` };
  writeFileSync(file, JSON.stringify({ journal: { directory: journal }, state, sinks, http }));
  const terminal = new CliTerminal(t, ["top", "--config", file, "--interval", "1"]);
  await terminal.type("from journal and state", "j");
  await terminal.type("> files", "\u001b[B");
  await terminal.type("> other", "s");
  await terminal.type("SINK (waiting)", "?");
  await terminal.type("by the checkpoints of a sink", "x");
  await terminal.type("SINK (waiting)", "p");
  await terminal.type("PAUSED", "q");
  assert.equal(await terminal.end(), 0);
  assert.ok(terminal.shown.startsWith("\u001b[?1049h\u001b[?25l\u001b[?7l"), "another screen");
  assert.match(terminal.shown, /endpoint not used: the service does not run/);
  assert.match(terminal.shown, /exit module running, newest record/);
  assert.ok(
    terminal.shown.endsWith("\u001b[?7h\u001b[?25h\u001b[?1049l"),
    "the screen is restored",
  );
  assert.ok(!terminal.shown.includes("\u001b[3"), "no colour with NO_COLOR");
});

test("on a terminal of 44 x 12 every line is whole or ends with an ellipsis, and nothing older is left", async (t) => {
  const journal = journalDirectory(t);
  const file = join(dirname(journal), "certwire.json");
  const state = { directory: join(dirname(journal), "state") };
  const sinks = ["a", "b", "c"].map((name) => ({ name, url: `file:${name}` }));
  writeFileSync(file, JSON.stringify({ journal: { directory: journal }, state, sinks }));
  const words = ["top", "--config", file, "--interval", "1"];
  const terminal = new CliTerminal(t, words, "stty cols 44 rows 12");
  await terminal.type("service stopped", "?");
  await terminal.type("certwire top", "x");
  await terminal.type("service stopped", "p");
  await terminal.type("PAUSED", "");
  const screen = new xterm.Terminal({ cols: 44, rows: 12, allowProposedApi: true });
  await new Promise<void>((resolve) => screen.write(terminal.shown, resolve));
  const { active } = screen.buffer;
  assert.equal(active.type, "alternate");
  const lines = Array.from({ length: 12 }, (_, row) =>
    active.getLine(row)?.translateToString(true),
  );
  assert.match(lines[0] ?? "", /^failing {2}PAUSED .*…$/);
  assert.ok(
    lines.some((line) => line?.startsWith("failing: service-stopped")),
    lines.join("\n"),
  );
  assert.equal(lines.findLast(Boolean), "q quit  p pause  s sort  up/down sink  ? he…");
  assert.ok(!lines.some((line) => line?.includes("this help")), "the help is gone");
  await terminal.type("PAUSED", "q");
  assert.equal(await terminal.end(), 0);
  screen.dispose();
});

test("Ctrl-C ends top with exit code 0", async (t) => {
  const journal = journalDirectory(t);
  const file = join(dirname(journal), "certwire.json");
  const state = { directory: join(dirname(journal), "state") };
  const sinks = [{ name: "files", url: "file:events" }];
  writeFileSync(file, JSON.stringify({ journal: { directory: journal }, state, sinks }));
  const terminal = new CliTerminal(t, ["top", "--config", file]);
  await terminal.type("from journal and state", "\u0003");
  assert.equal(await terminal.end(), 0);
});

test("without a terminal top says what to use instead", async () => {
  const { exitCode, stdout, stderr } = await runCli("top");
  assert.equal(exitCode, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /needs a terminal\nhint: `certwire status`/);
});

test("the token goes to nobody without TLS, nor while no service runs", async (t) => {
  const journal = journalDirectory(t);
  const root = dirname(journal);
  const heard: unknown[] = [];
  // Some other program has taken the port.
  const thief = createServer(({ headers }, response) => {
    heard.push(headers.authorization);
    response.end("{}");
  });
  thief.listen(0, "127.0.0.1");
  await once(thief, "listening");
  t.after(() => thief.close());
  const { port } = thief.address() as AddressInfo;
  writeFileSync(join(root, "token"), "secret-of-the-endpoint", { mode: 0o600 });
  const file = join(root, "certwire.json");
  const config = {
    journal: { directory: journal },
    state: { directory: join(root, "state") },
    sinks: [{ name: "files", url: "file:events" }],
    http: { listen: `127.0.0.1:${port}`, token: { file: "token" } },
  };
  writeFileSync(file, JSON.stringify(config));
  const stopped = new CliTerminal(t, ["top", "--config", file]);
  await stopped.type("from journal and state", "q");
  assert.equal(await stopped.end(), 0);
  assert.match(stopped.shown, /endpoint not used: the service does not run/);
  // It runs on when the address of its endpoint is in use.
  const service = startCli(["run", "--config", file]);
  t.after(() => service.child.kill("SIGKILL"));
  await service.logged("the HTTP endpoint cannot listen");
  const running = new CliTerminal(t, ["top", "--config", file]);
  await running.type("service running", "q");
  assert.equal(await running.end(), 0);
  assert.match(running.shown, /endpoint not used: without TLS its token would be sent/);
  assert.deepEqual(heard, []);
});
