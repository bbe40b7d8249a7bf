import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { crlList } from "../../src/events/crl-data.ts";
import { Problems } from "../../src/events/problems.ts";
import { decodeRecord } from "../../src/exit/decode-record.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { ScenarioWriter } from "../scenarios/scenario-writer.ts";
import { largeCrl } from "../support/large-crl.ts";
import { until } from "../support/until.ts";
import { readRecorded } from "./support/recorded.ts";
import { runStandin } from "./support/standin.ts";
import { prepareWine } from "./support/wine.ts";

const valid = { long: 3 };

test("a base CRL of 67 MB leaves the delta CRL and the CA certificate in the record", async (t) => {
  if (!(await prepareWine(t))) return;
  const writer = new ScenarioWriter();
  const base = largeCrl(1_800_000);
  const delta = largeCrl(2);
  assert.ok(base.length > 67_000_000);
  const certificate = Buffer.alloc(1500, 0x30);
  const ca = {
    CertCount: { long: 1 },
    "CRLState.0": valid,
    RawCACertificate: writer.binary(certificate),
    "RawCRL.0": writer.binary(base),
    "RawDeltaCRL.0": writer.binary(delta),
  };
  writer.add({ event: 0x20, context: 0, chain: "ca" });
  const path = join(makeTempDirectory("scenarios"), "large-crl.ndjson");
  // The limit of the stand-in is far above the budget of 500 ms: what a call takes says the diagnostic.
  writer.save(path, { caName: "Large CA", ca, secrets: [], boundMs: 60_000 });
  const play = async () => {
    const run = await runStandin(path);
    assert.equal(run.exitCode, 0);
    const notify = run.calls.find(({ call }) => call === "Notify");
    t.diagnostic(`Notify took ${notify?.us} µs`);
    const [recorded] = readRecorded(run.journalDirectory).filter(({ event }) => event === 0x20);
    assert.ok(recorded);
    const decoded = decodeRecord(recorded.payload);
    // The base is read last and may use up the time; on a busy machine something before it may do so too.
    const lacksTime = decoded.problems.some(
      ({ name, reason }) => reason === "budget" && name !== "ca.RawCRL.0",
    );
    return !lacksTime && decoded;
  };
  const record = await until(play, "there is time for everything before the base");
  assert.deepEqual(record.ca.get("RawCACertificate"), certificate);
  const [ofBase, ofDelta] = crlList(record, new Problems()) as Record<string, unknown>[];
  assert.deepEqual(
    [ofBase?.["kind"], ofBase?.["length"], ofBase?.["number"], ofBase?.["thisUpdate"]],
    ["base", base.length, "7", "2025-01-01T00:00:00Z"],
  );
  assert.deepEqual([ofDelta?.["kind"], ofDelta?.["der"]], ["delta", delta.toString("base64")]);
  assert.ok(record.problems.some(({ name, reason }) => name === "ca.RawCRL.0" && reason === "cut"));
});
