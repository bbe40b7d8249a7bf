import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import { errorCodes } from "../../../src/errors/codes.ts";
import { errorsPage } from "../../../src/errors/errors-page.ts";

test("the reference page of the errors is the one that the table makes", () => {
  assert.equal(readFileSync("docs/reference/errors.md", "utf8"), errorsPage());
});

test("an error takes retry flag, exit code and hint from the table", () => {
  const error = new CertwireError("CERTWIRE_SINK_AUTH", "refused");
  assert.equal(error.retryable, errorCodes.CERTWIRE_SINK_AUTH.retryable);
  assert.equal(error.exitCode, 77);
  assert.equal(error.hint, errorCodes.CERTWIRE_SINK_AUTH.hint);
});
