// The status page in Debian's Chromium, of a service that compares with the CA's database, which takes Windows: the endpoint alone.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Observation } from "../../src/service/live-status.ts";
import { faintTexts, startBrowser, watch } from "../support/browser.ts";
import { sampleObservation } from "../support/sample-observation.ts";
import { until } from "../support/until.ts";
import { serveObservations } from "./support/serve-observations.ts";

type Comparison = Observation["status"]["reconcile"];

/** Opens the page of a service whose comparison is what `now` returns. */
async function openPage(t: TestContext, now: () => Comparison) {
  const address = await serveObservations(t, () => {
    const { status, ...sample } = sampleObservation();
    const { reconcile: _, ...rest } = status;
    const reconcile = now();
    return { ...sample, status: { ...rest, ...(reconcile && { reconcile }) } };
  });
  const browser = await startBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1366, height: 900 } });
  const misdeeds = await watch(page, `http://${address}`);
  await page.goto(`http://${address}/`);
  return { page, misdeeds };
}

test("the page shows the last scheduled comparison, what is open and the next one", async (t) => {
  const { reconcile: sample } = sampleObservation().status;
  let comparison: Comparison = sample;
  const { page, misdeeds } = await openPage(t, () => comparison);
  const section = page.locator("section[aria-labelledby=comparison-heading]");
  const shows = (text: string, pattern: RegExp) =>
    until(async () => pattern.test((await section.textContent()) ?? ""), text, { everyMs: 100 });
  await shows("the comparison is there", /last comparison.*ago, 120,034 rows/);
  await shows(
    "the findings are there",
    /open findings2 missing1 state3 deleted and 7 more in its file/,
  );
  await shows("the next one is there", /next comparison(in \d|less than)/);
  const values = await section
    .locator("data")
    .evaluateAll((all) => all.map((each) => each.getAttribute("value")));
  assert.deepEqual(values, ["120034", "2", "1", "3", "7"]);
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await faintTexts(page), [], colorScheme);
  }
  comparison = { running: true };
  await shows(
    "one runs",
    /last comparisonnone yet.*open findingsnot known.*next comparisonruns now/,
  );
  comparison = undefined;
  await until(async () => (await section.count()) === 0, "there is no schedule any more", {
    everyMs: 100,
  });
  assert.deepEqual(misdeeds, { foreignRequests: [], policyViolations: [], errors: [] });
});
