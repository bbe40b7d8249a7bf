import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { frameTypes, type JournalFrame } from "../../../src/journal/frame.ts";
import type { FrameSource } from "../../../src/journal/frame-source.ts";
import { decodeContent, decodeFrame } from "../../../src/sources/decode-frame.ts";
import { JournalSource } from "../../../src/sources/journal-source.ts";
import { encodeCbor, encodeRecord, eventContext, frameOf } from "../../support/exit-records.ts";
import { neverStopped, testPipeline } from "../../support/run-pipeline.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";

const gap = frameOf(encodeCbor({ reason: "corrupt" }), { type: frameTypes.gap, sequence: 2n });

/** A promise, and what resolves it. */
function deferred(): [Promise<void>, () => void] {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((each) => {
    resolve = each;
  });
  return [promise, resolve];
}

function framesOnce(frames: readonly JournalFrame[]): FrameSource {
  const chunks = [frames];
  return {
    next: async () => {
      const next = chunks.shift();
      return next ? { frames: next, more: false } : null;
    },
    close: () => undefined,
  };
}

test("a frame gives its events and what they were made of, a broken one its error", () => {
  const whole = decodeFrame(frameOf(encodeRecord({})), eventContext());
  assert.ok("events" in whole && "record" in whole.content);
  assert.equal(whole.events.length, 1);
  const lost = decodeFrame(gap, eventContext());
  assert.ok("events" in lost && "gap" in lost.content);
  assert.equal(lost.content.gap.reason, "corrupt");
  const broken = [Buffer.from([0xff]), Buffer.alloc(0), encodeCbor({ event: 1 })];
  for (const payload of broken) {
    for (const decoded of [
      decodeFrame(frameOf(payload), eventContext()),
      decodeContent(frameOf(payload)),
    ]) {
      assert.ok("undecodable" in decoded);
      assert.equal(decoded.undecodable.code, "CERTWIRE_RECORD_UNDECODABLE");
    }
  }
});

test("a fault of the decoder itself is not the frame's, and is never an exception", () => {
  const identity = eventContext().identity;
  identity.resolve = () => {
    throw new TypeError("a fault of ours");
  };
  const decoded = decodeFrame(frameOf(encodeRecord({})), { options: {}, identity });
  assert.ok("undecodable" in decoded);
  assert.match(decoded.undecodable.message, /a fault of ours/);
  assert.equal(decoded.undecodable.code, "CERTWIRE_RECORD_FAILED");
});

test("each gap of the journal is reported once, with its event", async () => {
  const reported: unknown[] = [];
  const source = new JournalSource({
    frames: framesOnce([frameOf(encodeRecord({})), gap]),
    context: eventContext(),
    gapRead: ({ data }) => reported.push(data["reason"]),
  });
  const chunk = await source.next(neverStopped);
  assert.equal([...(chunk?.records ?? [])].length, 2);
  assert.deepEqual(reported, ["corrupt"]);
});

test("no event goes to the sink before what it must wait for is done", async (t) => {
  const [asked, saysAsked] = deferred();
  const [pending, saysDone] = deferred();
  const source = new JournalSource({
    frames: framesOnce([frameOf(encodeRecord({}))]),
    context: eventContext(),
    ready: () => {
      saysAsked();
      return pending;
    },
  });
  const sink = new ScriptedSink();
  const { pipeline } = await testPipeline(t, source, sink);
  const running = pipeline.run(neverStopped);
  await asked;
  await setImmediate();
  assert.equal(sink.batches.length, 0);
  saysDone();
  await running;
  assert.equal(sink.batches.length, 1);
});
