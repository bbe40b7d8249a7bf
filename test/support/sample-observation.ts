import { assessHealth } from "../../src/health/health.ts";
import { PipelineMonitor } from "../../src/pipeline/monitor.ts";
import type { Observation } from "../../src/service/live-status.ts";
import { collectLog } from "./collect-log.ts";

/** What a service with one sink may observe, with hostile texts wherever one can stand. */
export function sampleObservation(hostile = 'C:\\a "b"\nc'): Observation {
  const now = Date.parse("2026-06-15T12:00:00.000Z");
  const monitor = new PipelineMonitor(collectLog().log);
  const attributes = { recordedtime: "2026-06-15T11:00:00.000Z" };
  const event = { event: { kind: "certificate.issued", attributes } } as const;
  monitor.publishing(3);
  monitor.published(3, 12);
  monitor.acknowledged(3, 300, [event, event, { event: { kind: "crl.issued", attributes } }]);
  monitor.skipped(["request.denied"]);
  monitor.gapRead("1", { reason: "corrupt" });
  monitor.gapRead("2", { reason: hostile });
  monitor.retried("reset", 7);
  monitor.deadLettered("rejected", "3", new Error("no"), 0, "crl.issued");
  monitor.publishFailed(0, { kind: "auth", cause: new Error(hostile) }, 1, 5);
  const troubles = { ...monitor.troubles(), isBlocked: true };
  const certificates = [{ name: hostile, notAfterMs: now + 1000 }];
  const facts = { name: "kafka", troubles: troubles.troubles, certificates };
  const { state, reasons } = assessHealth({ service: "running", sinks: [facts] }, now);
  return {
    views: [
      {
        stats: {
          ...monitor.counters(),
          sink: "kafka",
          kind: "kafka",
          state: "alarm",
          isConnected: true,
          lanes: 6,
          inFlightEvents: 2,
          inFlightBytes: 2000,
          position: null,
          oldestUnacknowledged: "2026-06-15T11:59:50.000Z",
          reader: {
            framesRead: 5,
            gapsFound: 0,
            unmarkedFrames: 1,
            quarantinedRanges: 0,
            damagedRanges: 2,
            positionLost: false,
            brokenLinks: 1,
            brokenEpoch: 7,
            brokenSequence: 9n,
          },
        },
        troubles,
        tally: monitor.tally(),
        newest: undefined,
        writerTimes: undefined,
        caNotAfterMs: now + 2000,
      },
    ],
    gaps: new Map(),
    reconcile: {
      isRunning: false,
      failures: 2,
      lastMs: now - 5000,
      rows: 120_034,
      unlisted: 0,
      open: { missing: 2, state: 1, changed: 0, unknown: 0, deleted: 3 },
      nextMs: now + 4000,
      unpublished: [{ sink: "kafka", reports: 4 }],
      overdueMs: now + 5000,
    },
    certificates: new Map([["kafka", certificates]]),
    brokerCertificates: new Map([["kafka", [{ name: "broker1:9093", notAfterMs: now + 3000 }]]]),
    status: {
      state,
      time: "2026-06-15T12:00:00.000Z",
      service: { state: "running", version: "1.2.3" },
      reasons: [...reasons],
      journal: {
        directory: hostile,
        epochs: 1,
        segments: 2,
        bytes: 1000,
        capacityBytes: 5000,
        maxBytes: 6000,
        minFreeBytes: 7000,
        freeBytes: 9000,
        newestSegments: [],
        newest: {
          epochNumber: 1,
          epochId: "00",
          sequence: "9",
          time: "2026-06-15T11:59:59.000Z",
        },
        writer: "running",
        writerBeat: {
          time: "2026-06-15T11:59:53.000Z",
          condition: "no-space",
          osError: 28,
          droppedRecords: 3,
          waitingBytes: 4096,
        },
        durations: {
          append: { count: 4, p50Us: 12, p99Us: 80, p999Us: 90, maxUs: 100 },
          write: { count: 2, p50Us: 12, p99Us: 80, p999Us: 90, maxUs: 100 },
          flush: { count: 0 },
        },
      },
      sinks: [
        {
          name: "kafka",
          kind: "kafka",
          state: "alarm",
          checkpoint: { state: "found", savedTime: "2026-06-15T11:59:58.000Z" },
          backlog: { records: 2, bytes: 2000, oldestTime: "2026-06-15T11:59:50.000Z" },
          deadLetters: { bytes: 30, share: 0.25 },
        },
      ],
      reconcile: {
        running: false,
        lastTime: "2026-06-15T11:59:55.000Z",
        rows: 120_034,
        open: { missing: 2, state: 1, changed: 0, unknown: 0, deleted: 3 },
        unlisted: 7,
        nextTime: "2026-06-15T12:00:04.000Z",
        overdueTime: "2026-06-15T12:00:05.000Z",
      },
    },
  };
}
