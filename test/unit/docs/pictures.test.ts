import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pictureSvg } from "../../../scripts/picture.ts";

test("the picture of the architecture is the one that its description makes", () => {
  const description = readFileSync("docs/explanation/architecture.txt", "utf8");
  const picture = readFileSync("docs/explanation/architecture.svg", "utf8");
  assert.equal(picture, pictureSvg(description));
});

test("an arrow to something that is not in the picture is an error", () => {
  const description = "size 100 100\nstep a 0 0 10 10 A\narrow a b";
  assert.throws(() => pictureSvg(description), /from a to b: one is missing/);
});

test("an arrow that would have to bend is an error", () => {
  const description = "size 100 100\nstep a 0 0 10 10 A\nstep b 50 50 10 10 B\narrow a b";
  assert.throws(() => pictureSvg(description), /no straight arrow goes from a to b/);
});
