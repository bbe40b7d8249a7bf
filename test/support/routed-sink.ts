import assert from "node:assert/strict";
import { sinkOf } from "../../src/config/sink-entry.ts";

/** A sink with `routes`, and the router that goes with it. */
export async function routedSink(url: string, settings: object) {
  const entry = { name: "routed", url, ...settings };
  const configured = sinkOf(entry);
  assert.ok(configured.router);
  return { sink: await configured.create(), router: configured.router };
}
