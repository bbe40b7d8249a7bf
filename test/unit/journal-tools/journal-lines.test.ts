import assert from "node:assert/strict";
import { test } from "node:test";
import type { WholeJournal } from "../../../src/journal/whole-journal.ts";
import { linesOfJournal } from "../../../src/journal-tools/journal-lines.ts";
import { encodeRecord, eventContext, frameOf } from "../../support/exit-records.ts";

/** A terminal's title is set by what stands between these two, with C1 controls; then marks of both directions. */
const hostile = "a\u009d0;owned\u009c\u009b2J\u007f\u2028\u2029\u202e";

for (const isRaw of [false, true]) {
  test(`no character that a terminal acts on is in a line, raw: ${isRaw}`, async () => {
    const frame = frameOf(encodeRecord({ attributes: [["ccm", hostile]] }));
    const journal = {
      async *chunks() {
        yield [frame];
      },
    } as unknown as WholeJournal;
    const undecodable = (error: Error) => assert.fail(error);
    const options = { context: eventContext(), selection: {}, isRaw, undecodable };
    const lines: string[] = [];
    for await (const part of linesOfJournal(journal, options, new AbortController().signal)) {
      lines.push(...part.lines.map(String));
    }
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /^[\u0020-\u007e]+$/);
    assert.ok(JSON.stringify(JSON.parse(lines[0] ?? "")).includes(hostile));
  });
}
