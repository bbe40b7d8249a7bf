import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { JournalModel, type ModelCommand } from "../support/journal-model.ts";
import { scaled, sizeFromEnvironment } from "../support/scale.ts";
import { journalDirectory } from "../support/small-journal.ts";

const runs = sizeFromEnvironment("CERTWIRE_MODEL_RUNS", scaled(40));

const share = fc.double({ min: 0, max: 0.999, noNaN: true });
const command: fc.Arbitrary<ModelCommand> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("append"), count: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("flush") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("seal") }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("kill") }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("power-cut"), seed: fc.nat() }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("read"), batches: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("acknowledge"), share }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("restart-reader") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete-oldest") }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("corrupt"),
      how: fc.constantFrom("flip", "truncate", "zero"),
      segment: share,
      place: share,
    }),
  },
) as fc.Arbitrary<ModelCommand>;

test("whatever happens to a journal, each record is read as it was written or is in a gap", async (context) => {
  let done = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { minLength: 5, maxLength: 30, size: "max" }),
      async (commands) => {
        const model = new JournalModel(journalDirectory(context));
        try {
          for (const each of commands) await model.run(each);
          await model.finish();
          done += 1;
        } finally {
          await model.close();
        }
      },
    ),
    { numRuns: runs },
  );
  assert.ok(done >= runs);
  context.diagnostic(`${done} runs`);
});
