import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import xterm from "@xterm/headless";
import { eventRow, rowLine } from "../../src/cli/event-row.ts";
import { eventsOfFile } from "../../src/sources/event-file.ts";
import { runCli } from "../support/run-cli.ts";
import { scaled } from "../support/scale.ts";
import { flushed, journalDirectory, openSmall } from "../support/small-journal.ts";

/** What a requester may write to act on the terminal of whoever reads the journal. */
const attacks = [
  "\u001b]0;owned\u0007",
  "\u001b]2;owned\u001b\\",
  "\u009d0;owned\u009c",
  "\u001b[2J\u001b[H",
  "\u009b2J\u009bH",
  "\u001bc",
  "\u001b[?1049h",
  "\u001b[31;5m",
  "\u001bP+q544e\u001b\\",
  "\r\n\u001b[1A\u001b[K",
  "\b\b\b\b\u007f\u0000",
  "\u202eevil\u202c\u2066x\u2069",
  "\u2028\u2029\u0085",
];
const width = 120;

/** A terminal that counts what only control sequences can do. */
function terminal() {
  const screen = new xterm.Terminal({
    cols: width,
    rows: 40,
    scrollback: 10,
    allowProposedApi: true,
  });
  const actions: string[] = [];
  screen.onTitleChange((title) => actions.push(`title ${title}`));
  screen.onBell(() => actions.push("bell"));
  screen.onData((data) => actions.push(`answer ${JSON.stringify(data)}`));
  screen.buffer.onBufferChange(() => actions.push("other screen"));
  return { screen, actions };
}

/** Shows lines on a terminal; each must stand there as it is, wrapped, and nothing else may happen. */
async function assertOnlyText(lines: readonly string[]): Promise<void> {
  const { screen, actions } = terminal();
  for (const line of lines) {
    assert.match(line, /^[\P{C}\u00ad]*$/u, "no control or format character");
    await new Promise<void>((resolve) => screen.write(`\u001b[2J\u001b[H${line}`, resolve));
    const { active } = screen.buffer;
    const last = active.getLine(active.baseY + active.cursorY)?.translateToString(true) ?? "";
    assert.ok(
      line.endsWith(last.slice(-20)),
      `${JSON.stringify(last)} ends ${JSON.stringify(line.slice(-40))}`,
    );
  }
  assert.deepEqual(actions, []);
  screen.dispose();
}

/** Events with hostile names in the places that a requester chooses. */
async function hostileJournal(t: TestContext): Promise<{ journal: string; names: number }> {
  const journal = journalDirectory(t);
  const simulator = openSmall(journal);
  const records = scaled(500, { least: 40 });
  const perRecord = 20;
  for (let id = 1; id <= records; id += 1) {
    const name = (n: number) => `${attacks[(id + n) % attacks.length]}${id}-${n}`;
    simulator.notify({
      event: 1,
      context: id,
      request: {
        RequestID: { long: id },
        RequesterName: { string: name(0) },
        CommonName: { string: name(1) },
      },
      certificate: { CommonName: { string: name(2) }, CertificateTemplate: { string: name(3) } },
      attributes: Array.from({ length: perRecord - 4 }, (_, n) => [
        `Attribute${n}${name(n)}`,
        name(n),
      ]),
      extensions: [],
    });
  }
  await flushed(simulator);
  simulator.close();
  return { journal, names: records * perRecord };
}

test("hostile names change neither the title nor the screen of a terminal that shows them", async (t) => {
  const { journal, names } = await hostileJournal(t);
  t.diagnostic(`${names} names`);
  const cat = await runCli("journal", "cat", "--journal", journal);
  const replay = await runCli("replay", "--journal", journal, "--stdout");
  for (const { stdout, exitCode } of [cat, replay]) {
    assert.equal(exitCode, 0);
    const lines = stdout.trimEnd().split("\n");
    assert.ok(lines.length >= names / 20);
    await assertOnlyText(lines);
  }
  const file = join(journal, "..", "events.ndjson");
  writeFileSync(file, cat.stdout);
  const rows: string[] = [];
  const options = { skip: () => assert.fail() };
  for await (const event of eventsOfFile(file, options, new AbortController().signal)) {
    rows.push(rowLine(eventRow(event), width));
  }
  await assertOnlyText(rows);
});
