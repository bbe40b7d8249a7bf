import assert from "node:assert/strict";
import { test } from "node:test";
import { sectionsOf, wrapped } from "../../src/cli/page-text.ts";
import { doctorChecks } from "../../src/doctor/checks.ts";
import { errorCodes } from "../../src/errors/codes.ts";
import { alerts } from "../../src/health/alerts.ts";
import { healthReasons } from "../../src/health/reasons.ts";
import { runCli } from "../support/run-cli.ts";

test("explain prints the meaning of an error code, what to do, and the exit code", async () => {
  const { meaning, hint } = errorCodes.CERTWIRE_JOURNAL_UNREADABLE;
  for (const code of ["CERTWIRE_JOURNAL_UNREADABLE", "journal_unreadable"]) {
    const { exitCode, stdout, stderr } = await runCli("explain", code);
    assert.deepEqual([exitCode, stderr], [0, ""]);
    const text = stdout.replaceAll(/\s+/g, " ");
    assert.ok(text.startsWith(`CERTWIRE_JOURNAL_UNREADABLE ${meaning} ${hint} It goes away`), text);
    assert.ok(text.endsWith("Exit code: 74. "), text);
  }
});

test("explain prints the section of an event-log entry, as plain text of 80 columns", async () => {
  const { exitCode, stdout } = await runCli("explain", "10");
  assert.equal(exitCode, 0);
  assert.ok(
    stdout.startsWith("Event-log entry 10: setting ignored\n\nWarning. The setting (name)"),
  );
  assert.match(stdout, /Settings lists what is\nallowed\. Correct the value/);
  assert.ok(stdout.split("\n").every((line) => line.length <= 80));
});

test("explain prints a reason of health, and the runbook of an alert as plain text of 80 columns", async () => {
  const reason = await runCli("explain", "Sink-Refused");
  assert.equal(reason.exitCode, 0);
  assert.ok(reason.stdout.startsWith("sink-refused\n\nThe broker refuses the sink"));
  assert.match(reason.stdout, /\nState: failing at once/);
  const alert = await runCli("explain", "certwirewritergone");
  assert.equal(alert.exitCode, 0);
  assert.ok(alert.stdout.startsWith("CertwireWriterGone\n\nThe exit module does not hold"));
  assert.match(alert.stdout, /\nFix\n\n- Start the CA\.\n/);
  assert.doesNotMatch(alert.stdout, /[#`\]]/);
  assert.ok(alert.stdout.split("\n").every((line) => line.length <= 80));
});

test("explain prints what a check of doctor asks", async () => {
  const { exitCode, stdout } = await runCli("explain", "module-loaded");
  assert.equal(exitCode, 0);
  const { question } = doctorChecks["module-loaded"];
  assert.ok(
    stdout.startsWith(`Check module-loaded, of the link exit module\n\n${question}\n`),
    stdout,
  );
  const near = await runCli("explain", "modul-loaded");
  assert.match(near.stderr, /Did you mean module-loaded\?/);
});

test("explain lists every error code, reason of health, alert, event-log entry and check", async () => {
  const { stdout } = await runCli("explain");
  for (const code of [...Object.keys(errorCodes), ...Object.keys(healthReasons)]) {
    assert.match(stdout, new RegExp(`^${code} `, "m"));
  }
  for (const name of Object.keys(alerts)) assert.match(stdout, new RegExp(`^${name}$`, "m"));
  assert.match(stdout, /^ {2}1 {2}module started$/m);
  assert.match(stdout, /^ 23 {2}events lost$/m);
  for (const check of Object.keys(doctorChecks))
    assert.match(stdout, new RegExp(`^${check} `, "m"));
});

test("a code that does not exist is wrong usage, with the one that was meant", async () => {
  const near = await runCli("explain", "CERTWIRE_CONFIG_INVALD");
  assert.equal(near.exitCode, 2);
  assert.match(near.stderr, /Did you mean CERTWIRE_CONFIG_INVALID\?/);
  const far = await runCli("explain", "999");
  assert.equal(far.exitCode, 2);
  assert.match(far.stderr, /there is no code "999".*`certwire explain` lists every code/s);
});

test("prose is broken at 80 columns, while code, tables and items of lists keep their lines", () => {
  const page = `# Page\n\n## First\n\n${"word ".repeat(40)}\n\n| a | b |\n|---|---|\n\n\`\`\`sh\nrun  it\n\`\`\`\n\n- one\n- **two**\n\n## Second\n\nText with a [link](x.md).\n`;
  const [first, second] = sectionsOf(page);
  assert.ok(first?.text.split("\n").every((line) => line.length <= 80));
  assert.ok(first?.text.includes("| a | b |\n|---|---|\n\n```sh\nrun  it\n```\n\n- one\n- two"));
  assert.deepEqual(second, { title: "Second", text: "Text with a link." });
  assert.equal(wrapped("x".repeat(100)), "x".repeat(100));
});
