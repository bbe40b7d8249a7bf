import assert from "node:assert/strict";
import { test } from "node:test";
import { describeCause } from "../../../src/errors/describe-cause.ts";

test("an error and its causes give one line, also with the line breaks of OpenSSL's texts", () => {
  const cause = new Error("SSL routines:bad certificate:\nSSL alert number 42\n");
  assert.equal(
    describeCause(new Error("cannot open topic", { cause })),
    "cannot open topic: SSL routines:bad certificate: SSL alert number 42",
  );
});
