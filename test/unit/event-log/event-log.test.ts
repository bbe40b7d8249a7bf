import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { serviceEntries } from "../../../src/event-log/entries.ts";
import { EventLog } from "../../../src/event-log/event-log.ts";
import { until } from "../../support/until.ts";

const minute = 60_000;

/** An event log whose entries stay in memory, under a clock that only the test moves. */
function memoryLog() {
  const clock = { ms: 0 };
  const written: { id: number; texts: readonly string[] }[] = [];
  const eventLog = new EventLog({
    write: async (id, texts) => void written.push({ id, texts }),
    now: () => clock.ms,
  });
  return { clock, written, eventLog };
}

test("the same entry about the same sink is written again only after its quiet time", async () => {
  const { clock, written, eventLog } = memoryLog();
  assert.equal(eventLog.report("sink-down", ["a"], "a"), true);
  assert.equal(eventLog.report("sink-down", ["b"], "b"), true);
  clock.ms = 10 * minute - 1;
  assert.equal(eventLog.report("sink-down", ["a"], "a"), false);
  clock.ms = 10 * minute;
  assert.equal(eventLog.report("sink-down", ["a"], "a"), true);
  await eventLog.flush();
  assert.deepEqual(
    written.map(({ id, texts }) => [id, ...texts]),
    [
      [52, "a"],
      [52, "b"],
      [52, "a"],
    ],
  );
});

test("hostile texts are one short line in which the viewer expands nothing", async () => {
  const { written, eventLog } = memoryLog();
  const hostile = "x\r\ny\u001b[31m\u202e\u009b %1 %%2 50%";
  eventLog.report("sink-down", [hostile, "z".repeat(70_000)], "a");
  await eventLog.flush();
  const [short = "", long = ""] = written[0]?.texts ?? [];
  assert.equal(short, "x y·[31m·· % 1 % % 2 50%");
  assert.equal(long.length, 1000);
  assert.ok(long.endsWith("…"));
});

test("a log that refuses disturbs nothing, and is named once until it works again", async () => {
  const failures: string[] = [];
  let isBroken = true;
  const eventLog = new EventLog({
    write: async () => {
      if (isBroken) throw new Error("Windows error 1722");
    },
    failed: (error) => failures.push(error),
  });
  for (const broken of [true, true, false, true]) {
    isBroken = broken;
    eventLog.report("service-started", []);
    await eventLog.flush();
  }
  assert.deepEqual(failures, ["Windows error 1722", "Windows error 1722"]);
});

test("entries that could not be written are written when the log works again, in their order", async () => {
  const written: string[] = [];
  let isBroken = true;
  const eventLog = new EventLog({
    write: async (_, texts) => {
      if (isBroken) throw new Error("Windows error 1722");
      written.push(...texts);
    },
    retryMs: 1,
  });
  for (const text of ["first", "second"]) assert.equal(eventLog.report("sink-back", [text]), true);
  await eventLog.flush();
  assert.deepEqual(written, []);
  isBroken = false;
  await until(() => written.length === 2, "the entries are written without a further one");
  assert.deepEqual(written, ["first", "second"]);
});

test("a stop tries once more to write what could not be written", async () => {
  const written: string[] = [];
  let isBroken = true;
  const eventLog = new EventLog({
    write: async (_, texts) => {
      if (isBroken) throw new Error("Windows error 1722");
      written.push(...texts);
    },
  });
  eventLog.report("sink-back", ["first"]);
  await eventLog.flush();
  isBroken = false;
  await eventLog.flush();
  assert.deepEqual(written, ["first"]);
});

test("a log that never answers takes a limited number of entries, and a stop does not wait for it", async () => {
  let calls = 0;
  const eventLog = new EventLog({
    write: () => {
      calls += 1;
      return new Promise(() => undefined);
    },
  });
  const taken = Array.from({ length: 1000 }, () => eventLog.report("sink-back", ["a"]));
  assert.equal(taken.filter(Boolean).length, 16);
  await eventLog.flush(1);
  assert.equal(calls, 1);
});

test("every entry of the service has a message, for the addon too", () => {
  const messages = readFileSync("addon/event_log/messages.mc", "utf8");
  const addon = readFileSync("addon/node/windows_system.cc", "utf8");
  const [, table = ""] = /kServiceEntries\[\] = \{([^}]*)\}/.exec(addon) ?? [];
  const names = [...table.matchAll(/MSG_\w+/g)].map(([name]) => name);
  const ids = names.map((name) =>
    Number(
      new RegExp(`MessageId=(\\d+)\\nSeverity=\\w+\\nSymbolicName=${name}\\n`).exec(messages)?.[1],
    ),
  );
  assert.deepEqual(
    ids,
    Object.values(serviceEntries).map(({ id }) => id),
  );
});
