import assert from "node:assert/strict";
import { test } from "node:test";
import { majorVersion } from "../../../../src/sinks/rabbitmq/version.ts";

test("the major version of a broker is the number that its version begins with", () => {
  const versions = ["3.10.8", "4.0.5", "4.1.0-beta.2", "10.0", "", "unknown"];
  assert.deepEqual(versions.map(majorVersion), [3, 4, 4, 10, undefined, undefined]);
});
