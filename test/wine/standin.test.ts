import { join } from "node:path";
import { test } from "node:test";
import { prepareWine, runWine, windowsBuild } from "./support/wine.ts";

test("the stand-in itself serves, orders and notices as its own tests say", async (t) => {
  if (!(await prepareWine(t))) return;
  await runWine(join(windowsBuild, "standin-test.exe"), []);
});
