import fc from "fast-check";

/** What is left of a frame that was being written when the power was cut. */
export type Tear = "first-half" | "no-header" | "no-payload" | "nothing";

/** Something that happens in a conformance run of the journal. */
export type JournalStep =
  /** Records are appended; a writer is started if none runs. */
  | { readonly do: "append"; readonly count: number }
  /** The writer ends cleanly, or is killed. */
  | { readonly do: "seal" | "kill" }
  | {
      readonly do: "cut-power";
      readonly tear: Tear;
      /** Whether each of the newest records was torn, the newest last. */
      readonly torn: readonly boolean[];
    }
  | { readonly do: "delete"; readonly segments: number }
  /** A reader starts at the oldest record. */
  | { readonly do: "open" }
  /** A reader starts again at a position that it had. `back`: how many frames before the newest one. */
  | { readonly do: "reopen"; readonly back: number }
  | { readonly do: "read"; readonly frames: number };

const does = <Name extends string>(name: Name) => fc.constant(name);

const step: fc.Arbitrary<JournalStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: does("append"), count: fc.integer({ min: 1, max: 70 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: does("seal") }) },
  { weight: 2, arbitrary: fc.record({ do: does("kill") }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: does("cut-power"),
      tear: fc.constantFrom<Tear>("first-half", "no-header", "no-payload", "nothing"),
      torn: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: does("delete"), segments: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: does("open") }) },
  { weight: 3, arbitrary: fc.record({ do: does("reopen"), back: fc.nat({ max: 12 }) }) },
  {
    weight: 7,
    arbitrary: fc.record({ do: does("read"), frames: fc.constantFrom(1, 3, 10, 60, 1000) }),
  },
);

/** Scripts for a journal: its writer, its files and one reader. */
export const journalScripts: fc.Arbitrary<readonly JournalStep[]> = fc.array(step, {
  minLength: 8,
  maxLength: 30,
  size: "max",
});
