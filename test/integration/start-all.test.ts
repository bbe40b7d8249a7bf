import assert from "node:assert/strict";
import { test } from "node:test";
import { turns } from "../support/until.ts";
import { startAll } from "./support/start-all.ts";

/** A server that takes its time to start and to stop. */
class SlowServer {
  isRunning = false;

  async start(): Promise<this> {
    await turns(20);
    this.isRunning = true;
    return this;
  }

  async stop(): Promise<void> {
    await turns(1);
    this.isRunning = false;
  }
}

async function failing(): Promise<SlowServer> {
  throw new Error("the port is taken");
}

test("servers that start at the same time are there in their order", async () => {
  const [first, second] = [new SlowServer(), new SlowServer()];
  assert.deepEqual(await startAll(first.start(), second.start()), [first, second]);
  assert.ok(first.isRunning && second.isRunning);
});

test("if one of several servers does not start, the others are stopped, those that start later too", async () => {
  const [first, last] = [new SlowServer(), new SlowServer()];
  const starting = startAll(first.start(), failing(), last.start());
  await assert.rejects(starting, { message: "the port is taken" });
  assert.deepEqual([first.isRunning, last.isRunning], [false, false]);
});
