// Writes test/fixtures/golden/*/*.json and test/fixtures/event-digests.json from records of a simulated CA.
// Run after a build: node build/js/scripts/generate-golden-events.js
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { eventDigestsFile } from "../test/support/event-digests.ts";
import { goldenPath, goldenText, makeGoldenEvents } from "../test/support/golden-events.ts";

rmSync(join("test", "fixtures", "golden"), { recursive: true, force: true });
for (const { name, event } of makeGoldenEvents()) {
  const path = goldenPath(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, goldenText(event));
}
const { path, text } = eventDigestsFile();
writeFileSync(path, text);
