import assert from "node:assert/strict";
import { test } from "node:test";
import { multiText, textOf, textsOf, typeName } from "../../../src/native/registry-strings.ts";
import { windowsSystem } from "../../../src/native/windows-system.ts";

function stored(type: number, text: string) {
  return { type, data: Buffer.from(text, "utf16le") };
}

test("a list of texts is stored as Windows stores it, and read back", () => {
  for (const texts of [[], ["A.Exit"], ["A.Exit", "Zertifikat ü", "C"]]) {
    assert.deepEqual(textsOf(multiText(texts)), texts);
  }
  assert.deepEqual(multiText(["A", "B"]), stored(7, "A\0B\0\0"));
});

test("a list without its last zeros, as other programs write it, is read", () => {
  assert.deepEqual(textsOf(stored(7, "A\0B\0")), ["A", "B"]);
  assert.deepEqual(textsOf(stored(7, "A\0B")), ["A", "B"]);
  assert.deepEqual(textsOf(stored(7, "")), []);
});

test("a single text counts as a list of one, an empty one as an empty list", () => {
  assert.deepEqual(textsOf(stored(1, "A.Exit\0")), ["A.Exit"]);
  assert.deepEqual(textsOf(stored(1, "\0")), []);
});

test("a list that a program would shorten by reading it is not taken for one", () => {
  assert.equal(textsOf(stored(7, "A\0\0B\0\0")), undefined);
  assert.equal(textsOf(stored(7, "\0B\0\0")), undefined);
});

test("numbers, half characters and lists are not texts", () => {
  assert.equal(textsOf({ type: 4, data: Buffer.alloc(4) }), undefined);
  assert.equal(textsOf({ type: 7, data: Buffer.alloc(3) }), undefined);
  assert.equal(textOf({ type: 1, data: Buffer.alloc(3) }), undefined);
  assert.equal(textOf(multiText(["A"])), undefined);
  assert.deepEqual([typeName(4), typeName(99)], ["REG_DWORD", "type 99"]);
});

test("on another system than Windows the registry is an error with its own code", () => {
  assert.throws(windowsSystem, { code: "CERTWIRE_WINDOWS_ONLY", exitCode: 2 });
});
