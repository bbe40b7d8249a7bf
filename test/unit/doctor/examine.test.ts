import assert from "node:assert/strict";
import { test } from "node:test";
import { examine } from "../../../src/doctor/examine.ts";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import type { SinkKind } from "../../../src/sinks/sink-kind.ts";
import { configBeside } from "../../support/config-beside.ts";
import { journalDirectory } from "../../support/small-journal.ts";
import { toy } from "../../support/toy-sink.ts";
import { patienceMs } from "../../support/until.ts";

/** Opens no sink before as many are being opened, and as many servers were asked for the time, as there are sinks. */
function meeting(sinks: number): SinkKind {
  const meet: (() => void)[] = [];
  const together = (): Promise<void> =>
    new Promise((resolve) => {
      meet.push(resolve);
      if (meet.length === 2 * sinks) for (const each of meet) each();
    });
  return {
    ...toy,
    configure(entry, context) {
      const configured = toy.configure(entry, context);
      const unreachable = new CertwireError("CERTWIRE_SINK_UNREACHABLE", "all have met");
      return {
        ...configured,
        async create(log) {
          const sink = await configured.create(log);
          const open = async (): Promise<never> => {
            await together();
            throw unreachable;
          };
          return Object.assign(sink, { open });
        },
        async serverTime() {
          await together();
          return { server: "the token endpoint", serverMs: 0, ownMs: 0 };
        },
      };
    },
  };
}

test("all sinks and all token servers are asked at once", async (t) => {
  const sinks = ["toy:one", "toy:two"].map((url, at) => ({ name: `sink-${at}`, url }));
  const configFile = configBeside(journalDirectory(t), { sinks });
  const { findings } = await examine({
    configFile,
    isOffline: false,
    timeoutMs: patienceMs,
    kinds: [meeting(sinks.length)],
  });
  const opened = findings.filter(({ check }) => check === "sink-connection");
  assert.deepEqual(
    opened.map(({ seen }) => seen),
    Array(sinks.length).fill("CERTWIRE_SINK_UNREACHABLE: all have met"),
  );
  const clock = findings.filter(({ check }) => check === "clock").map(({ seen }) => seen);
  assert.match(clock.join(), /the token endpoint and the Date of the token endpoint/);
});
