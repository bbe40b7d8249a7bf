import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeClock } from "../../../src/doctor/clock.ts";
import { judgeEventLog, parseEventLog } from "../../../src/doctor/event-log.ts";
import { judgeSink, type SinkLinkFacts } from "../../../src/doctor/sinks.ts";
import type { SinkFacts } from "../../../src/health/facts.ts";
import { assessHealth } from "../../../src/health/health.ts";

const now = Date.parse("2026-06-15T12:00:00Z");
const [minute, day] = [60_000, 86_400_000];
const good: SinkLinkFacts = {
  name: "kafka",
  kind: "kafka",
  destination: "topic t on broker1:9093",
  opened: { lanes: 6, findings: [] },
  certificates: [{ name: "client.pem", notAfterMs: now + 400 * day }],
  brokerCertificates: [
    {
      server: "broker1:9093",
      validity: { notBeforeMs: now - day, notAfterMs: now + 300 * day },
    },
  ],
  shown: {
    name: "kafka",
    kind: "kafka",
    backlog: { records: 0, bytes: 0 },
    deadLetters: { bytes: 0, share: 0 },
  },
};

function judge(facts: Partial<SinkLinkFacts>, health: Partial<SinkFacts> = {}) {
  const { reasons } = assessHealth({ sinks: [{ name: "kafka", ...health }] }, now);
  return judgeSink({ ...good, ...facts }, reasons, now);
}

function bad(found: ReturnType<typeof judge>): string[] {
  return found.filter(({ state }) => state !== "ok").map(({ check, state }) => `${check} ${state}`);
}

test("a sink that opens, with nothing at risk and nothing waiting, is ok in every check", () => {
  const found = judge({});
  assert.deepEqual(bad(found), []);
  assert.match(found[2]?.seen ?? "", /2 certificates, the first one ends on 2027-04-11/);
});

test("a setting that loses events is an error, one that puts them at risk a warning", () => {
  const finding = { message: "cleanup.policy compact", hint: "Set it to delete." };
  const opened = (more: object) => ({ lanes: 1, findings: [{ ...finding, ...more }] });
  assert.deepEqual(bad(judge({ opened: opened({}) })), ["sink-destination warn"]);
  assert.deepEqual(bad(judge({ opened: opened({ losesEvents: true }) })), [
    "sink-destination error",
  ]);
});

test("a sink that cannot be opened is an error with its code, and the topics are skipped", () => {
  const { opened: _, ...closed } = good;
  const openError = { error: "no broker", hint: "Check it.", code: "CERTWIRE_SINK_UNREACHABLE" };
  const found = judgeSink({ ...closed, openError }, [], now);
  assert.deepEqual(bad(found), ["sink-connection error", "sink-destination skipped"]);
  assert.equal(found[0]?.docs, "reference/errors.md#certwire_sink_unreachable");
});

test("a broker's certificate that ends within 30 days is a warning, one that has ended an error", () => {
  const ends = (notAfterMs: number, notBeforeMs = now - day) =>
    judge({ brokerCertificates: [{ server: "b:1", validity: { notBeforeMs, notAfterMs } }] });
  assert.deepEqual(bad(ends(now + 30 * day)), []);
  assert.deepEqual(bad(ends(now + 29 * day)), ["sink-certificates warn"]);
  assert.deepEqual(bad(ends(now - 1)), ["sink-certificates error"]);
  const early = ends(now + 300 * day, now + 5 * minute);
  assert.deepEqual(bad(early), ["sink-certificates error"]);
  assert.match(early[2]?.hint ?? "", /^Compare the clocks/);
});

test("a broker's certificate whose dates cannot be read is a warning, whatever else is known", () => {
  const brokerCertificates = [{ server: "b:1" }];
  for (const certificates of [[], good.certificates]) {
    const found = judge({ certificates, brokerCertificates });
    assert.deepEqual(bad(found), ["sink-certificates warn"]);
    assert.equal(found[2]?.seen, "the certificate of b:1: its dates cannot be read");
  }
});

test("a file of the configuration that ends is judged as its health judges it", () => {
  const certificates = [{ name: "client.pem", notAfterMs: now + day }];
  const found = judge({ certificates }, { certificates });
  assert.deepEqual(bad(found), ["sink-certificates warn"]);
  assert.match(found[2]?.seen ?? "", /client\.pem ends on 2026-06-16/);
});

test("dead letters are a warning as long as there are any", () => {
  const deadLetters = { bytes: 2048, share: 0, newestTime: "2026-06-14T12:00:00.000Z" };
  assert.ok(good.shown);
  const found = judge({ shown: { ...good.shown, deadLetters } });
  assert.deepEqual(bad(found), ["dead-letters warn"]);
  assert.match(found.at(-1)?.seen ?? "", /2\.0 KiB, the newest 1 d old/);
});

test("a clock is compared with the servers that say a time, by a minute and by five", () => {
  const state = (aheadMs: number) => {
    const servers = [{ server: "idp.example", serverMs: now, ownMs: now + aheadMs }];
    return judgeClock({ servers, hasRecord: true }, [])[0];
  };
  assert.equal(state(59_999)?.state, "ok");
  assert.equal(state(-60_000)?.state, "warn");
  assert.match(state(-60_000)?.seen ?? "", /1 min behind idp\.example/);
  assert.equal(state(300_000)?.state, "error");
});

test("without a server that says a time it is named what was compared, or nothing", () => {
  const [found] = judgeClock({ servers: [], hasRecord: true }, []);
  assert.equal(found?.state, "ok");
  assert.match(found.seen, /newest record.*no answer of Kafka or RabbitMQ says/);
  assert.equal(judgeClock({ servers: [], hasRecord: false }, [])[0]?.state, "skipped");
});

const xml = `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Certwire'/><EventID Qualifiers='49152'>20</EventID><Level>2</Level><TimeCreated SystemTime='2026-06-15T11:00:00.1234567Z'/><Channel>Application</Channel></System><EventData><Data>D:\\j &lt;&#252;&amp;&#xe9;&gt;</Data><Data>it is not a directory</Data></EventData></Event>
<Event><System><EventID>20</EventID><Level>2</Level><TimeCreated SystemTime='2026-06-15T10:00:00Z'/></System></Event><Event><System><EventID>12</EventID><Level>3</Level><TimeCreated SystemTime='2026-06-15T11:30:00Z'/></System></Event>
<Event><System><EventID>1</EventID><Level>4</Level><TimeCreated SystemTime='2026-06-15T11:40:00Z'/></System></Event><Event><System>cut`;

test("entries of the event log are read from the XML of wevtutil, entities and all", () => {
  const entries = parseEventLog(xml);
  assert.deepEqual(
    entries.map(({ id, level }) => [id, level]),
    [
      [20, 2],
      [20, 2],
      [12, 3],
      [1, 4],
    ],
  );
  assert.deepEqual(entries[0]?.texts, [String.raw`D:\j <ü&é>`, "it is not a directory"]);
});

test("each id is a warning once, with its newest entry, errors first; information is none", () => {
  const found = judgeEventLog(parseEventLog(xml));
  assert.deepEqual(
    found.map(({ state, seen }) => [state, seen]),
    [
      [
        "warn",
        String.raw`error 20 at 2026-06-15T11:00:00Z, 2 times: D:\j <ü&é>; it is not a directory`,
      ],
      ["warn", "warning 12 at 2026-06-15T11:30:00Z: "],
    ],
  );
  assert.equal(found[0]?.hint, "certwire explain 20 says what it means.");
  assert.equal(judgeEventLog([])[0]?.state, "ok");
});
