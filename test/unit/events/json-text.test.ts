import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonBytes, jsonText } from "../../../src/events/json-text.ts";

const member = fc.letrec((tie) => ({
  value: fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom("a", "+", '"', "\\", "\n", "\u009b", "\u2028", "é") }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }),
  ),
})).value;
const value = fc.dictionary(fc.string(), member);

test("the size of a value's JSON is known to the byte without writing it", () => {
  fc.assert(
    fc.property(value, (object) => {
      assert.equal(jsonBytes(object), Buffer.byteLength(jsonText(object)));
    }),
  );
});
