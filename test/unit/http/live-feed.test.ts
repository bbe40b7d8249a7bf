import assert from "node:assert/strict";
import { get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { type HttpOptions, resolveHttp } from "../../../src/config/http-options.ts";
import { maxClients, type Update } from "../../../src/http/live-feed.ts";
import { type ServeStatusOptions, serveStatus } from "../../../src/http/serve-status.ts";
import type { HistoryPoint } from "../../../src/service/history.ts";
import type { RecentEvent } from "../../../src/service/recent-events.ts";
import { freePorts } from "../../integration/support/free-ports.ts";
import { collectLog } from "../../support/collect-log.ts";
import { ask } from "../../support/http-client.ts";
import { sampleObservation } from "../../support/sample-observation.ts";
import { settled, until } from "../../support/until.ts";

const events: readonly RecentEvent[] = [
  {
    id: "00-7",
    time: "2026-06-15T12:00:00.000Z",
    kind: "certificate.issued",
    requestId: "7",
    names: { requester: "CORP\\anna", subject: "CN=Anna" },
  },
];

const sample = sampleObservation();

interface Served {
  readonly port: number;
  readonly lines: readonly Record<string, unknown>[];
  readonly history: HistoryPoint[];
  /** How often the status was asked for. */
  readonly observations: () => number;
}

async function serve(
  t: TestContext,
  http: Partial<HttpOptions> = {},
  sources: Partial<ServeStatusOptions> = {},
): Promise<Served> {
  const [port = 0] = await freePorts(1);
  const { log, lines } = collectLog();
  const stop = new AbortController();
  const history: HistoryPoint[] = [];
  let observations = 0;
  const serving = serveStatus(
    {
      http: { ...resolveHttp({ listen: `127.0.0.1:${port}` }, "/"), ...http },
      log,
      observe: () => {
        observations += 1;
        return Promise.resolve(sample);
      },
      history: (sinceMs = 0) => history.filter(({ timeMs }) => timeMs > sinceMs),
      recentEvents: () => Promise.resolve(events),
      intervalMs: 10,
      ...sources,
    },
    stop.signal,
  );
  t.after(async () => {
    stop.abort();
    await settled(serving, "the endpoint ends");
  });
  const isListening = () => lines.some(({ msg }) => msg === "the HTTP endpoint listens");
  await until(isListening, "the endpoint listens");
  return { port, lines, history, observations: () => observations };
}

interface Stream {
  readonly answer: IncomingMessage;
  /** Everything that has come, as it came. */
  readonly text: () => string;
  readonly updates: () => Update[];
  readonly hasEnded: () => boolean;
}

/** Opens a stream as a browser does. */
function open(t: TestContext, port: number, query = "", headers = {}): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path: `/events${query}`, headers, agent: false };
    const request = get(options, (answer) => {
      let [text, ended] = ["", false];
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("close", () => (ended = true)).on("error", () => undefined);
      const updates = () =>
        text
          .split("\n\n")
          .slice(0, -1)
          .filter((message) => message.startsWith("data: "))
          .map((message) => JSON.parse(message.slice(6)) as Update);
      resolve({ answer, text: () => text, updates, hasEnded: () => ended });
    });
    request.on("error", reject);
    t.after(() => request.destroy());
  });
}

test("a client gets the status again and again, and each point of the history once", async (t) => {
  const { port, history } = await serve(t);
  const point = (timeMs: number) => ({ timeMs, sinks: { kafka: { eventsPerSecond: 1 } } });
  history.push(point(10), point(20));
  const { answer, updates } = await open(t, port);
  assert.equal(answer.headers["content-type"], "text/event-stream");
  await until(() => updates().length > 2, "three updates have come");
  assert.deepEqual(updates()[0]?.status, sample.status);
  history.push(point(30));
  await until(() => updates().some((each) => each.history[0]?.timeMs === 30), "the point is there");
  const points = updates().flatMap((each) => each.history.map(({ timeMs }) => timeMs));
  assert.deepEqual(points, [10, 20, 30]);
});

test("names of people leave the process only for a client that asks for them", async (t) => {
  const { port } = await serve(t);
  const [plain, named] = await Promise.all([open(t, port), open(t, port, "?names=shown")]);
  await until(() => plain.updates().length > 1 && named.updates().length > 1, "both have updates");
  assert.doesNotMatch(plain.text(), /anna/i);
  assert.equal(plain.updates()[0]?.recentEvents?.[0]?.requestId, "7");
  assert.deepEqual(named.updates()[0]?.recentEvents, events);
  assert.deepEqual([plain.updates()[0]?.hasNames, named.updates()[0]?.hasNames], [false, true]);
});

test("where the configuration allows no names, nobody gets them", async (t) => {
  const { port } = await serve(t, { names: "never" });
  const { text, updates } = await open(t, port, "?names=shown");
  await until(() => updates().length > 0, "an update has come");
  assert.doesNotMatch(text(), /anna/i);
  assert.equal(updates()[0]?.hasNames, false);
});

test("a limited number of clients gets in, and the next one when another has left", async (t) => {
  const { port, observations } = await serve(t);
  const streams = await Promise.all(Array.from({ length: maxClients }, () => open(t, port)));
  const refused = await ask("/events", { port });
  assert.deepEqual([refused.code, refused.headers["retry-after"]], [503, "10"]);
  assert.equal((await ask("/livez", { port })).code, 200);
  streams[0]?.answer.destroy();
  await until(async () => {
    const { answer } = await open(t, port);
    const isIn = answer.statusCode === 200;
    answer.destroy();
    return isIn;
  }, "another client gets in");
  for (const { answer } of streams) answer.destroy();
  await until(async () => {
    const before = observations();
    // Longer than the interval.
    for (let times = 0; times < 20; times += 1) await ask("/livez", { port });
    return observations() === before;
  }, "nothing is observed for nobody");
});

test("what a client does not read is not piled up for it", async (t) => {
  const padding = "x".repeat(2 ** 18);
  const status = { ...sample.status, service: { ...sample.status.service, host: padding } };
  let updates = 0;
  const { port } = await serve(
    t,
    {},
    {
      observe: () => {
        updates += 1;
        return Promise.resolve({ ...sample, status });
      },
    },
  );
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  t.after(() => socket.destroy());
  socket.pause();
  socket.write("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  await until(() => updates > 200, "200 updates were due");
  let bytes = 0;
  socket.on("data", (part) => (bytes += part.length));
  socket.resume();
  await until(() => bytes > 2 ** 18, "the client has read something");
  assert.ok(bytes < 100 * padding.length, `${bytes} bytes`);
});

test("a stream ends when its token is not valid any more", async (t) => {
  let token = "first";
  const { port } = await serve(t, { token: () => token });
  assert.equal((await ask("/events", { port })).code, 401);
  const { updates, hasEnded } = await open(t, port, "", { authorization: "Bearer first" });
  await until(() => updates().length > 0, "an update has come");
  token = "second";
  await until(hasEnded, "the stream has ended");
});

test("a journal that cannot be read leaves out the events only", async (t) => {
  const { port } = await serve(t, {}, { recentEvents: () => Promise.reject(new Error("EIO")) });
  const { updates } = await open(t, port);
  await until(() => updates().length > 0, "an update has come");
  assert.equal(updates()[0]?.recentEvents, undefined);
  assert.equal(updates()[0]?.status.state, "failing");
});

test("a fault in the status ends no process, and is logged", async (t) => {
  const { port, lines } = await serve(t, {}, { observe: () => Promise.reject(new Error("a bug")) });
  await open(t, port);
  const isLogged = () =>
    lines.find(({ msg }) => msg === "cannot send an update to the status page");
  assert.equal((await until(isLogged, "the fault is logged"))["error"], "a bug");
});

test("the page, its files and the runbooks need no token, and other files are not served", async (t) => {
  const { port } = await serve(t, { token: () => "secret" });
  for (const [path, type] of [
    ["/", "text/html; charset=utf-8"],
    ["/page.js", "text/javascript; charset=utf-8"],
    ["/page.css", "text/css; charset=utf-8"],
    ["/icon.svg", "image/svg+xml"],
    ["/runbooks/CertwireDown", "text/plain; charset=utf-8"],
  ] as const) {
    const { code, headers, body } = await ask(path, { port });
    assert.deepEqual([code, headers["content-type"]], [200, type], path);
    assert.doesNotMatch(body, /https?:\/\/(?!www\.w3\.org\/)/, `${path} names another place`);
    assert.match(String(headers["content-security-policy"]), /script-src 'self';/);
    assert.doesNotMatch(String(headers["content-security-policy"]), /unsafe|\*/);
  }
  for (const path of ["/runbooks/CertwireNone", "/runbooks/..%2f..%2fREADME", "/package.json"]) {
    assert.equal((await ask(path, { port })).code, 401, path);
  }
});

test("without a token a page of another site gets no data, by whichever header its browser says so", async (t) => {
  const { port } = await serve(t);
  const host = `127.0.0.1:${port}`;
  const code = async (path: string, headers: Record<string, string>) =>
    (await ask(path, { port, headers: { host, ...headers } })).code;
  for (const path of ["/events", "/status", "/metrics"]) {
    for (const site of ["cross-site", "same-site"]) {
      assert.equal(await code(path, { "sec-fetch-site": site }), 403, `${path} ${site}`);
    }
    for (const origin of ["https://evil.example", "null", `http://127.0.0.1:${port + 1}`, "x"]) {
      assert.equal(await code(path, { origin }), 403, `${path} ${origin}`);
    }
  }
  for (const site of ["same-origin", "none"]) {
    assert.equal(await code("/status", { "sec-fetch-site": site }), 200, site);
  }
  assert.equal(await code("/status", { origin: `http://127.0.0.1:${port}` }), 200);
  assert.equal(await code("/status", {}), 200, "a program that is no browser");
});

test("without a token a name that leads here is not enough, so that no other site can use a browser", async (t) => {
  const { port } = await serve(t);
  const code = async (host: string) => (await ask("/status", { port, headers: { host } })).code;
  assert.equal(await code(`evil.example:${port}`), 421);
  assert.equal(await code("127.0.0.1.evil.example"), 421);
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "[::1]:80", "LOCALHOST"]) {
    assert.equal(await code(host), 200, host);
  }
  const named = await serve(t, { token: () => "secret" });
  const headers = { host: "ca1.example", authorization: "Bearer secret" };
  assert.equal((await ask("/status", { port: named.port, headers })).code, 200);
});
