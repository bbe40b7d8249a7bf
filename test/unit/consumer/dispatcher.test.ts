import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { MemoryDeduplication } from "../../../src/consumer/deduplication/memory.ts";
import { Dispatcher, type DispatcherOptions } from "../../../src/consumer/dispatcher.ts";
import { silentLogger } from "../../../src/consumer/logger.ts";
import { Session } from "../../../src/consumer/session.ts";
import type { CertwireError } from "../../../src/errors/certwire-error.ts";
import { bodyMessage, messageOf, sampleMessage } from "../../support/consumer-messages.ts";
import { sampleEvent, sequenceOf } from "../../support/sample-events.ts";
import { turns, until } from "../../support/until.ts";

const retry = { limit: Number.POSITIVE_INFINITY, initialMs: 1, maxMs: 1 };

function makeDispatcher(options: Partial<DispatcherOptions<undefined>>) {
  const errors: CertwireError[] = [];
  const failed = (error: CertwireError): void => void errors.push(error);
  const rest = { handlers: {}, concurrency: 4, retry, log: silentLogger, failed };
  return { dispatcher: new Dispatcher<undefined>({ ...rest, ...options }), errors };
}

test("keys keep their order, whatever fails and however long handlers take; the limit holds", async () => {
  const messages = fc.array(fc.record({ key: fc.nat(4), turns: fc.nat(3), failures: fc.nat(2) }), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(messages, fc.integer({ min: 1, max: 5 }), async (plan, concurrency) => {
      const succeeded: number[] = [];
      let running = 0;
      let most = 0;
      const left = plan.map(({ failures }) => failures);
      const { dispatcher } = makeDispatcher({
        concurrency,
        handlers: {
          otherwise: async (event) => {
            const n = sequenceOf(event);
            running += 1;
            most = Math.max(most, running);
            for (let at = 0; at < (plan[n]?.turns ?? 0); at += 1) await turn();
            running -= 1;
            const failures = left[n] ?? 0;
            left[n] = failures - 1;
            if (failures > 0) throw new Error("not yet");
            succeeded.push(n);
          },
        },
      });
      const session = new Session();
      const outcomes = await Promise.all(
        plan.map(({ key }, n) => dispatcher.deliver(sampleMessage(n, `key-${key}`), session)),
      );
      assert.ok(outcomes.every((outcome) => outcome === "handled"));
      assert.ok(most <= concurrency);
      for (const key of new Set(plan.map((each) => each.key))) {
        const sent = plan.flatMap((each, n) => (each.key === key ? [n] : []));
        assert.deepEqual(
          succeeded.filter((n) => plan[n]?.key === key),
          sent,
        );
      }
    }),
    { numRuns: 60 },
  );
});

test("an event that waits for its next try holds up its own key only, and takes no place of the limit", async () => {
  const handled: number[] = [];
  const slow = { limit: 5, initialMs: 3_600_000, maxMs: 3_600_000 };
  const { dispatcher } = makeDispatcher({
    concurrency: 1,
    retry: slow,
    handlers: {
      "certificate.issued": (event) => {
        if (event.partitionkey === "stuck") throw new Error("always");
        handled.push(sequenceOf(event));
      },
    },
  });
  const session = new Session();
  const stuck = [1, 2].map((n) => dispatcher.deliver(sampleMessage(n, "stuck"), session));
  await Promise.all([3, 4].map((n) => dispatcher.deliver(sampleMessage(n, "free"), session)));
  assert.deepEqual(handled, [3, 4]);
  assert.equal(dispatcher.stats.inProgress, 2);
  await session.close(0);
  assert.deepEqual(await Promise.all(stuck), ["abandoned", "abandoned"]);
  const { failures, inProgress } = dispatcher.stats;
  assert.deepEqual({ failures, inProgress }, { failures: 1, inProgress: 0 });
});

test("a closing session starts no handler, waits for the running one, and forgets it after the limit", async () => {
  const signals: AbortSignal[] = [];
  let finish: () => void = () => undefined;
  const { dispatcher, errors } = makeDispatcher({
    concurrency: 1,
    handlers: {
      otherwise: async (_, { signal }) => {
        signals.push(signal);
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      },
    },
  });
  const session = new Session();
  const first = dispatcher.deliver(sampleMessage(1, "a"), session);
  const second = dispatcher.deliver(sampleMessage(2, "b"), session);
  await until(() => signals.length === 1, "the handler runs");
  const closing = session.close(Number.POSITIVE_INFINITY);
  assert.equal(await second, "abandoned");
  await turns();
  assert.equal(session.open, 1);
  assert.equal(signals[0]?.aborted, false);
  await session.close(0);
  await closing;
  assert.equal(await first, "abandoned");
  assert.equal(signals[0]?.aborted, true);
  finish();
  await turns();
  assert.equal(signals.length, 1);
  assert.deepEqual(errors, []);
});

test("what finishes while the session closes counts as handled", async () => {
  let finish: () => void = () => undefined;
  const { dispatcher } = makeDispatcher({
    handlers: {
      otherwise: () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    },
  });
  const session = new Session();
  const outcome = dispatcher.deliver(sampleMessage(1), session);
  await turns();
  const closing = session.close(Number.POSITIVE_INFINITY);
  finish();
  assert.equal(await outcome, "handled");
  await closing;
});

test("a broken message and an event beyond its tries go to the hook, with the reason", async () => {
  const letters: [string, string | undefined][] = [];
  let hookFailures = 2;
  const { dispatcher, errors } = makeDispatcher({
    retry: { ...retry, limit: 2 },
    handlers: {
      otherwise: () => {
        throw new Error("disk full");
      },
    },
    onDeadLetter: ({ event, error }) => {
      if (hookFailures-- > 0) throw new Error("not yet");
      letters.push([error.code, event?.id]);
    },
  });
  const session = new Session();
  assert.equal(await dispatcher.deliver(bodyMessage("{}"), session), "handled");
  assert.equal(await dispatcher.deliver(sampleMessage(1), session), "handled");
  assert.deepEqual(letters, [
    ["CERTWIRE_MESSAGE_INVALID", undefined],
    ["CERTWIRE_HANDLER_FAILED", sampleEvent(1).id],
  ]);
  assert.equal(dispatcher.stats.failures, 2 + 3);
  assert.equal(dispatcher.stats.deadLetters, 2);
  assert.deepEqual(errors, []);
});

test("without a hook the consumer is to stop, and the message stays where it is", async () => {
  const { dispatcher, errors } = makeDispatcher({
    retry: { ...retry, limit: 0 },
    handlers: {
      otherwise: () => {
        throw new Error("disk full");
      },
    },
  });
  const session = new Session();
  assert.equal(await dispatcher.deliver(bodyMessage("no"), session), "abandoned");
  assert.equal(await dispatcher.deliver(sampleMessage(1), session), "abandoned");
  assert.deepEqual(
    errors.map(({ code }) => code),
    ["CERTWIRE_MESSAGE_INVALID", "CERTWIRE_HANDLER_FAILED"],
  );
  assert.match(String(errors[1]?.cause), /disk full/);
});

test("a hook that never succeeds stops the consumer", async () => {
  const { dispatcher, errors } = makeDispatcher({
    retry: { ...retry, limit: 1 },
    onDeadLetter: () => {
      throw new Error("no place for it");
    },
  });
  assert.equal(await dispatcher.deliver(bodyMessage("no"), new Session()), "abandoned");
  assert.equal(errors[0]?.code, "CERTWIRE_HANDLER_FAILED");
});

test("a handler that fails while the session closes is neither tried again nor a dead letter", async () => {
  let fail: () => void = () => undefined;
  const { dispatcher, errors } = makeDispatcher({
    retry: { ...retry, limit: 0 },
    handlers: {
      otherwise: () =>
        new Promise<void>((_, reject) => {
          fail = () => reject(new Error("pool is closed"));
        }),
    },
    onDeadLetter: () => assert.fail("it is not a dead letter"),
  });
  const session = new Session();
  const outcome = dispatcher.deliver(sampleMessage(1), session);
  await turns();
  const closing = session.close(Number.POSITIVE_INFINITY);
  fail();
  assert.equal(await outcome, "abandoned");
  await closing;
  assert.deepEqual(errors, []);
});

test("events go to the handler of their kind, else to otherwise, else they are acknowledged and counted", async () => {
  const seen: string[] = [];
  const { dispatcher } = makeDispatcher({
    handlers: { "certificate.issued": ({ id }) => void seen.push(id) },
  });
  const session = new Session();
  const revoked = {
    ...sampleEvent(2),
    type: "io.certwire.certificate.revoked.v1",
    dataschema: "urn:certwire:schema:certificate.revoked:v1",
  };
  const issued = { ...sampleEvent(1), dataschema: "urn:certwire:schema:certificate.issued:v1" };
  assert.equal(await dispatcher.deliver(messageOf(issued), session), "handled");
  assert.equal(await dispatcher.deliver(messageOf(revoked), session), "handled");
  assert.deepEqual(seen, [issued.id]);
  assert.equal(dispatcher.stats.ignored, 1);
});

test("an event that was handled before is acknowledged without its handler; one that failed is not known", async () => {
  let calls = 0;
  const { dispatcher } = makeDispatcher({
    deduplication: new MemoryDeduplication({ size: 2 }),
    handlers: {
      otherwise: () => {
        calls += 1;
        if (calls === 1) throw new Error("once");
      },
    },
  });
  const session = new Session();
  const deliver = (n: number) => dispatcher.deliver(sampleMessage(n), session);
  for (const n of [1, 1, 2, 1]) assert.equal(await deliver(n), "handled");
  assert.equal(calls, 3);
  const { handled, duplicates } = dispatcher.stats;
  assert.deepEqual({ handled, duplicates }, { handled: 2, duplicates: 2 });
  // Of the two that it remembers, 2 is the one that was used longest ago.
  for (const n of [3, 1, 2]) await deliver(n);
  assert.equal(calls, 5);
});

test("what the CA's database says of an event that was handled is a duplicate; two live events never are", async () => {
  const handled: string[] = [];
  const { dispatcher } = makeDispatcher({
    deduplication: new MemoryDeduplication({ size: 2 }),
    handlers: { otherwise: ({ id }) => void handled.push(id) },
  });
  const session = new Session();
  const live = (n: number, contentid: string) => ({ ...sampleEvent(n), contentid });
  const stored = (contentid: string) => {
    const { sequence: _, ...event } = sampleEvent(9);
    return { ...event, id: `db-${contentid}`, contentid, origin: "database" as const };
  };
  const [a, b, c] = ["a", "b", "c"].map((each) => each.repeat(22)) as [string, string, string];
  const events = [live(1, a), stored(a), live(2, a), stored(b), stored(b), live(3, b)];
  for (const event of events) await dispatcher.deliver(messageOf(event), session);
  const expected = [sampleEvent(1).id, sampleEvent(2).id, `db-${b}`, sampleEvent(3).id];
  assert.deepEqual(handled, expected);
  // Of the two contents that it remembers, the first one is the one that was used longest ago.
  for (const event of [live(4, c), stored(a)]) await dispatcher.deliver(messageOf(event), session);
  assert.deepEqual(handled, [...expected, sampleEvent(4).id, `db-${a}`]);
});
