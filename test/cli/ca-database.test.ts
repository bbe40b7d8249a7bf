import assert from "node:assert/strict";
import { test } from "node:test";
import { runCli } from "../support/run-cli.ts";

const isWindows = process.platform === "win32";

test("the commands about the CA's database say that they work on Windows only", {
  skip: isWindows,
}, async () => {
  for (const words of [["reconcile"], ["backfill", "--to-sink", "kafka"]]) {
    const { exitCode, stderr } = await runCli(...words);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, /CERTWIRE_WINDOWS_ONLY/);
  }
});

const wrong: [words: string[], message: RegExp][] = [
  [["reconcile", "--hours", "22-6"], /It must look like 22:00-06:00/],
  [["reconcile", "--hours", "24:00-06:00"], /It must look like 22:00-06:00/],
  [["reconcile", "--hours", "06:00-06:00"], /Its two times must differ/],
  [["reconcile", "--share", "0"], /1 to 100/],
  [["reconcile", "--since", "yesterday"], /It must look like 2026-01-31/],
  [["reconcile", "--since", "2026-01-31", "--full"], /--since and --full cannot be used together/],
  [["reconcile", "--username", "x"], /--username is for --kafka and --rabbitmq-stream/],
  [["reconcile", "--kafka", "kafka://a/b", "--rabbitmq-stream", "amqp://a/?stream=b"], /together/],
  [["reconcile", "--kafka", "kafka://a/b{kind}"], /--kafka names one topic/],
  [["reconcile", "--rabbitmq-stream", "amqp://a/"], /the URL names no stream/],
  [["backfill"], /required option '--to-sink <name>'/],
  [["backfill", "--to-sink", "kafka", "--rate", "0"], /1 or more/],
  [["backfill", "--to-sink", "kafka", "--from-request", "x"], /1 or more/],
];

for (const [words, message] of wrong) {
  test(`certwire ${words.join(" ")} is a usage error`, async () => {
    const { exitCode, stderr } = await runCli(...words);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, message);
  });
}
