import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { statusOfEndpoint } from "../../../src/cli/endpoint-status.ts";
import { statusScreen } from "../../../src/cli/status-screen.ts";
import { RateMeter } from "../../../src/cli/top/rates.ts";
import { sortedSinks, type TopView, topScreen } from "../../../src/cli/top/top-screen.ts";
import type { Status } from "../../../src/health/status.ts";
import { sampleObservation } from "../../support/sample-observation.ts";

const hostile = "\u001b[2J\u009b1m\u202e\u0007\r\nx";

/** A status with three sinks and more reasons than fit on a screen. */
function sampleStatus(text = "plain"): Status {
  const { status } = sampleObservation(text);
  const [sink] = status.sinks;
  const [reason] = status.reasons;
  assert.ok(sink !== undefined && reason !== undefined);
  const sinks = ["beta", "alpha", `gamma ${text}`].map((name, index) => ({
    ...sink,
    name,
    backlog: { records: [5, 5, 900][index] ?? 0, bytes: 10 },
    deadLetters: { bytes: [0, 4096, 1][index] ?? 0, share: 0 },
  }));
  const reasons = Array.from({ length: 12 }, (_, n) => ({
    ...reason,
    sink: n < 6 ? "beta" : "alpha",
    meaning: `${reason.meaning} ${text}`,
    hint: `${reason.hint} ${text}`,
  }));
  return { ...status, sinks, reasons };
}

function viewOf(status: Status, more: Partial<TopView> = {}): TopView {
  const rates = { recorded: 12.34, acknowledged: new Map([["alpha", 5000.4]]) };
  const view = { source: "endpoint 127.0.0.1:9470", sort: "name", selected: undefined } as const;
  return { status, rates, isPaused: false, hasHelp: false, ...view, ...more };
}

/** The status with a text at the end of each of its strings but the times and what the schema lists. */
function withText(value: unknown, text: string): unknown {
  if (typeof value === "string") return /^[a-z-]+$|^\d{4}-.*Z$/.test(value) ? value : value + text;
  if (Array.isArray(value)) return value.map((each) => withText(each, text));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, withText(each, text)]),
  );
}

test("no string of a status changes anything on the terminal", () => {
  const status = withText(sampleStatus(), hostile) as Status;
  for (const kind of ["kafka", `kafka${hostile}`]) {
    const sinks = status.sinks.map((sink) => ({ ...sink, kind }));
    for (const state of ["running", "stopped", "unknown"] as const) {
      const service = { ...status.service, state };
      const screen = statusScreen({ ...status, service, sinks });
      for (const line of screen) assert.match(line, /^\P{C}*$/u);
      const size = { columns: 300, rows: 100 };
      for (const line of topScreen(viewOf({ ...status, service, sinks }), size)) {
        assert.match(line, /^\P{C}*$/u);
      }
    }
  }
});

test("a screen of any size has no more lines and columns than the terminal, and ends with the keys", async () => {
  for (const text of ["plain", hostile]) {
    for (const [columns, rows] of [
      [80, 24],
      [40, 10],
      [20, 5],
      [132, 50],
      [1, 1],
    ] as const) {
      for (const more of [{}, { hasHelp: true }, { selected: "alpha" }, { note: `x ${text}` }]) {
        const lines = topScreen(viewOf(sampleStatus(text), more), { columns, rows });
        assert.ok(lines.length <= rows, `${lines.length} lines of ${rows}`);
        for (const line of lines) {
          assert.ok(line.length <= columns, `${line.length} of ${columns}: ${line}`);
          assert.match(line, /^[\P{C}]*$/u);
        }
        assert.ok(
          "q quit  p pause".startsWith(lines.at(-1)?.slice(0, Math.min(6, columns - 1)) ?? "?"),
        );
      }
    }
  }
});

test("the screen shows the figures of the status", () => {
  const lines = topScreen(viewOf(sampleStatus()), { columns: 80, rows: 40 });
  const rowOf = (name: string) => lines.find((line) => line.trimStart().startsWith(name)) ?? "";
  assert.match(rowOf("alpha"), /^ {2}alpha +alarm +5000 +5 +- +4\.0 KiB$/);
  assert.match(rowOf("beta"), /^ {2}beta +alarm +- +5 +- +-$/);
  assert.match(rowOf("CA"), /12\.3 rec\/s$/);
});

test("a chosen sink is marked, and only its reasons are shown; a paused screen says so", () => {
  const view = viewOf(sampleStatus(), { selected: "alpha", isPaused: true });
  const lines = topScreen(view, { columns: 80, rows: 60 });
  assert.ok(lines.some((line) => line.startsWith("> alpha")));
  assert.ok(lines.some((line) => / of alpha/.test(line)));
  assert.ok(!lines.some((line) => / of beta/.test(line)));
  assert.match(lines[0] ?? "", /^failing {2}PAUSED /);
});

test("reasons that do not fit are counted", () => {
  const lines = topScreen(viewOf(sampleStatus()), { columns: 80, rows: 24 });
  const shown = lines.filter((line) => / of (?:alpha|beta)/.test(line)).length;
  assert.ok(shown > 0);
  assert.ok(lines.includes(`and ${12 - shown} more: certwire status --json`), lines.join("\n"));
});

test("sinks are sorted by name, by what waits, by rate and by dead letters", () => {
  const status = sampleStatus();
  const order = (sort: TopView["sort"]) =>
    sortedSinks(viewOf(status, { sort }))
      .map(({ name }) => name.slice(0, 1))
      .join("");
  assert.deepEqual(
    [order("name"), order("waiting"), order("rate"), order("dead letters")],
    ["abg", "gab", "abg", "agb"],
  );
});

/** A status at a second, with places in the journal. */
function at(seconds: number, newest: number, acknowledged: number, epochId = "00"): Status {
  const status = sampleStatus();
  const [sink] = status.sinks;
  assert.ok(sink !== undefined && status.journal?.newest !== undefined);
  const checkpoint = { state: "found" as const, epochId, sequence: String(acknowledged) };
  return {
    ...status,
    time: new Date(Date.parse("2026-06-15T12:00:00Z") + seconds * 1000).toISOString(),
    journal: {
      ...status.journal,
      newest: { ...status.journal.newest, epochId, sequence: String(newest) },
    },
    sinks: [{ ...sink, name: "a", checkpoint }],
  };
}

test("rates are measured over the last 15 s, and not across epochs", () => {
  const meter = new RateMeter();
  const rates = () => [meter.rates.recorded, meter.rates.acknowledged.get("a")];
  assert.deepEqual(rates(), [undefined, undefined]);
  meter.take(at(0, 100, 0));
  assert.deepEqual(rates(), [undefined, undefined]);
  meter.take(at(10, 200, 50));
  assert.deepEqual(rates(), [10, 5]);
  for (const second of [20, 30, 40]) meter.take(at(second, 200, 50));
  assert.deepEqual(rates(), [0, 0]);
  meter.take(at(42, 3, 1, "01"));
  assert.deepEqual(rates(), [undefined, undefined]);
});

/** Options for a server that answers every request so. */
async function endpoint(t: TestContext, code: number, body: string, token?: string) {
  const server: Server = createServer(({ headers, url }, response) => {
    const isRight = url === "/status" && headers.authorization === (token && `Bearer ${token}`);
    response.writeHead(isRight ? code : 401).end(body);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const address = { host: "127.0.0.1", port, isLocal: true };
  const names = "never" as const;
  return { listen: `127.0.0.1:${port}`, address, names, ...(token && { token: () => token }) };
}

test("the status of the endpoint is used, with its token, only if it is one", async (t) => {
  const status = sampleStatus(hostile);
  const good = await endpoint(t, 200, JSON.stringify(status), "secret");
  assert.deepEqual(await statusOfEndpoint(good), status);
  const wrong = { ...good, token: () => "other" };
  await assert.rejects(statusOfEndpoint(wrong), /answers 401/);
  const other = await endpoint(t, 200, JSON.stringify({ ...status, state: "splendid" }));
  await assert.rejects(statusOfEndpoint(other), /another form/);
  const broken = await endpoint(t, 200, "<html>");
  await assert.rejects(statusOfEndpoint(broken), /JSON/);
  const huge = await endpoint(t, 200, `"${"x".repeat(5 * 2 ** 20)}"`);
  await assert.rejects(statusOfEndpoint(huge), /too long/);
  const nobody = { ...good, address: { host: "127.0.0.1", port: 1, isLocal: true } };
  await assert.rejects(statusOfEndpoint(nobody), /ECONNREFUSED/);
});
