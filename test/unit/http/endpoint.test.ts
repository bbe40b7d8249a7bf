import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { type HttpOptions, resolveHttp } from "../../../src/config/http-options.ts";
import { statusJsonSchema } from "../../../src/health/status.ts";
import { serveEndpoint } from "../../../src/http/endpoint.ts";
import { serveStatus } from "../../../src/http/serve-status.ts";
import type { Observation } from "../../../src/service/live-status.ts";
import { collectLog } from "../../support/collect-log.ts";
import { ask, dial } from "../../support/http-client.ts";
import { parseMetrics } from "../../support/parse-metrics.ts";
import { sampleObservation } from "../../support/sample-observation.ts";
import { settled, until } from "../../support/until.ts";

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOn(server, 0);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listenOn(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  return (server.address() as { port: number }).port;
}

/** What the page shows besides: nothing. */
const quietSources = { history: () => [], recentEvents: () => Promise.resolve([]) };

interface Served {
  readonly lines: readonly Record<string, unknown>[];
  readonly listening: () => Promise<unknown>;
  readonly end: () => Promise<void>;
}

function serve(
  t: TestContext,
  http: HttpOptions,
  observe: () => Promise<Observation> = () => Promise.resolve(sampleObservation()),
): Served {
  const { log, lines } = collectLog();
  const stop = new AbortController();
  const serving = serveStatus({ http, log, observe, ...quietSources }, stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await settled(serving, "the endpoint ends");
  };
  t.after(end);
  const isListening = () => lines.some(({ msg }) => msg === "the HTTP endpoint listens");
  return { lines, end, listening: () => until(isListening, "the endpoint listens") };
}

async function serveOnPort(t: TestContext, observe?: () => Promise<Observation>) {
  const port = await freePort();
  const served = serve(t, resolveHttp({ listen: `127.0.0.1:${port}` }, "/"), observe);
  await served.listening();
  return { port, ...served };
}

function healthy(): Observation {
  const found = sampleObservation();
  return { ...found, status: { ...found.status, state: "ok", reasons: [] } };
}

test("each path answers what it is for", async (t) => {
  const { port } = await serveOnPort(t);
  const livez = await ask("/livez", { port });
  assert.deepEqual([livez.code, livez.body], [200, "ok\n"]);
  const readyz = await ask("/readyz", { port });
  assert.equal(readyz.code, 503);
  assert.equal(
    readyz.body,
    "failing\nfailing sink-refused kafka\ndegraded certificate-ends kafka\n",
  );
  const status = await ask("/status", { port });
  const isStatus = formats.default(new Ajv2020()).compile(statusJsonSchema());
  assert.ok(isStatus(JSON.parse(status.body)), JSON.stringify(isStatus.errors));
  assert.equal(status.headers["content-type"], "application/json");
  const metrics = await ask("/metrics", { port });
  assert.ok(parseMetrics(metrics.body).samples.size > 100);
  const accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
  const open = await ask("/metrics?x=1", { port, headers: { accept } });
  assert.match(String(open.headers["content-type"]), /^application\/openmetrics-text/);
  assert.match(open.body, /# EOF\n$/);
  assert.match((await ask("/", { port })).body, /<title>Certwire<\/title>/);
  assert.equal((await ask("/nothing", { port })).code, 404);
  assert.equal((await ask("/../status", { port })).code, 404);
});

test("a service that is ok or degraded is ready", async (t) => {
  const { port } = await serveOnPort(t, () => Promise.resolve(healthy()));
  const { code, body } = await ask("/readyz", { port });
  assert.deepEqual([code, body], [200, "ok\n"]);
});

test("only GET and HEAD are answered, and no body is waited for", async (t) => {
  const { port } = await serveOnPort(t);
  const head = await ask("/metrics", { port, method: "HEAD" });
  assert.deepEqual([head.code, head.body], [200, ""]);
  assert.ok(Number(head.headers["content-length"]) > 1000);
  const posted = await ask("/status", { port, method: "POST", body: "x".repeat(1000) });
  assert.equal(posted.code, 405);
  assert.equal(posted.headers.connection, "close");
});

test("no answer lets a browser run or frame anything", async (t) => {
  const { port } = await serveOnPort(t);
  for (const path of ["/status", "/nothing"]) {
    const { headers } = await ask(path, { port });
    assert.match(String(headers["content-security-policy"]), /default-src 'none'/);
    assert.equal(headers["x-content-type-options"], "nosniff");
  }
});

test("with a token every request for data needs it, and a new one is used at once", async (t) => {
  const port = await freePort();
  let token = "first token";
  const http = { ...resolveHttp({ listen: `127.0.0.1:${port}` }, "/"), token: () => token };
  await serve(t, http).listening();
  const code = async (authorization?: string) =>
    (await ask("/livez", { port, headers: authorization ? { authorization } : {} })).code;
  assert.equal(await code(), 401);
  assert.equal(await code("Bearer wrong"), 401);
  assert.equal(await code("Basic first token"), 401);
  assert.equal(await code("Bearer first token"), 200);
  token = "second";
  assert.equal(await code("Bearer first token"), 401);
  assert.equal(await code("Bearer second"), 200);
});

test("a token that cannot be read is not a way in", async (t) => {
  const port = await freePort();
  const token = () => {
    throw new Error("EACCES");
  };
  const { listening, lines, end } = serve(t, {
    ...resolveHttp({ listen: `127.0.0.1:${port}` }, "/"),
    token,
  });
  await listening();
  assert.equal((await ask("/livez", { port, headers: { authorization: "Bearer " } })).code, 500);
  for (let times = 0; times < 20; times += 1)
    assert.equal((await ask("/livez", { port })).code, 500);
  await end();
  const failed = lines.filter(({ msg }) => msg === "a request of the HTTP endpoint failed");
  // The repeats are counted, and their number is logged once a minute and at the end.
  assert.equal(
    failed.reduce((sum, { repeated }) => sum + Number(repeated ?? 1), 0),
    21,
  );
  assert.ok(failed.length < 21, `${failed.length} lines`);
});

/** A directory with the certificate `http.pem`, which is its own CA, and its key `http.key`. */
function withCertificate(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "certwire-http-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
  const files = ["-keyout", join(directory, "http.key"), "-out", join(directory, "http.pem")];
  const names = ["-subj", "/CN=certwire", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", [...words.split(" "), ...files, ...names], { stdio: "ignore" });
  return directory;
}

/** Options of an endpoint with TLS. */
async function tlsOptions(t: TestContext) {
  const directory = withCertificate(t);
  const port = await freePort();
  const tls = { certificateFile: "http.pem", privateKey: { file: "http.key" } };
  const http = resolveHttp({ listen: `127.0.0.1:${port}`, tls }, directory);
  return { http, port, directory, ca: readFileSync(join(directory, "http.pem"), "utf8") };
}

test("TLS is served with the certificate of the configuration", async (t) => {
  const { http, port, ca } = await tlsOptions(t);
  await serve(t, http).listening();
  assert.equal((await ask("/livez", { port, ca })).code, 200);
  await assert.rejects(ask("/livez", { port }));
});

test("a new certificate is used for new connections, and one that does not fit is reported", async (t) => {
  const { http, port, ca, directory } = await tlsOptions(t);
  const { log, lines } = collectLog();
  const stop = new AbortController();
  const answer = async (_request: unknown, response: ServerResponse) => void response.end("ok");
  const serving = serveEndpoint({ http, log, answer, renewalMs: 5 }, stop.signal);
  t.after(async () => {
    stop.abort();
    await settled(serving, "the endpoint ends");
  });
  const isLogged = (message: string) => () => lines.some(({ msg }) => msg === message);
  await until(isLogged("the HTTP endpoint listens"), "the endpoint listens");
  assert.equal((await ask("/", { port, ca })).code, 200);
  const renewed = withCertificate(t);
  copyFileSync(join(renewed, "http.pem"), join(directory, "http.pem"));
  await until(isLogged("cannot use the HTTP endpoint's new certificate"), "the problem is logged");
  assert.equal((await ask("/", { port, ca })).code, 200, "the old one serves on");
  copyFileSync(join(renewed, "http.key"), join(directory, "http.key"));
  await until(isLogged("the HTTP endpoint uses a new certificate"), "the new one is used");
  assert.equal(
    (await ask("/", { port, ca: readFileSync(join(renewed, "http.pem"), "utf8") })).code,
    200,
  );
  await assert.rejects(ask("/", { port, ca }));
});

test("a key that does not belong to the certificate is reported at the start, also one of another kind", async (t) => {
  const { http, port, ca, directory } = await tlsOptions(t);
  const key = readFileSync(join(directory, "http.key"), "utf8");
  const other =
    createPrivateKey(key).asymmetricKeyType === "rsa"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = other.privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileSync(join(directory, "http.key"), pem);
  const { log, lines } = collectLog();
  const stop = new AbortController();
  const answer = async (_request: unknown, response: ServerResponse) => void response.end("ok");
  const serving = serveEndpoint({ http, log, answer }, stop.signal);
  t.after(async () => {
    stop.abort();
    await settled(serving, "the endpoint ends");
  });
  const message = "the HTTP endpoint cannot listen; events are published all the same";
  await until(() => lines.some(({ msg }) => msg === message), "the key is reported");
  assert.match(String(lines[0]?.["error"]), /the key does not belong to the certificate/);
  writeFileSync(join(directory, "http.key"), key);
  await until(() => lines.some(({ msg }) => msg === "the HTTP endpoint listens"), "it listens");
  assert.equal((await ask("/", { port, ca })).code, 200);
});

test("a Unix socket is served, also after a process that was killed left it behind", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "certwire-http-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const socketPath = join(directory, "http.sock");
  const source = `require("net").createServer().listen(${JSON.stringify(socketPath)}, () => process.kill(process.pid, "SIGKILL"))`;
  assert.throws(() => execFileSync(process.execPath, ["-e", source], { stdio: "ignore" }));
  const { listening } = serve(t, resolveHttp({ listen: `unix:${socketPath}` }, "/"));
  await listening();
  assert.equal((await ask("/livez", { socketPath })).code, 200);
});

test("an address in use is an alarm, tried again until it is free", async (t) => {
  const other = createServer();
  t.after(() => other.close());
  const port = await listenOn(other, 0);
  const { lines, listening } = serve(t, resolveHttp({ listen: `127.0.0.1:${port}` }, "/"));
  const alarm = await until(
    () => lines.find(({ level }) => level === 50),
    "the address is reported",
  );
  assert.match(String(alarm["msg"]), /cannot listen; events are published all the same/);
  assert.match(String(alarm["error"]), /EADDRINUSE/);
  await new Promise((resolve) => other.close(resolve));
  await listening();
  assert.equal((await ask("/livez", { port })).code, 200);
});

test("500 clients at a time leave an endpoint that answers the next one", async (t) => {
  const { port } = await serveOnPort(t);
  const answers = await Promise.allSettled(
    Array.from({ length: 500 }, () => ask("/metrics", { port })),
  );
  const good = answers.filter(
    (each) =>
      each.status === "fulfilled" && each.value.code === 200 && each.value.body.length > 1000,
  );
  // Those above the limit are closed, all others are answered in full.
  assert.ok(good.length > 0);
  const halves = answers.filter((each) => each.status === "fulfilled" && each.value.code !== 200);
  assert.deepEqual(halves, []);
  const next = await until(
    async () => (await ask("/livez", { port })).code,
    "the next client is answered",
    { mayThrow: true },
  );
  assert.equal(next, 200);
});

test("clients that send nothing, or their request byte by byte, are closed", async (t) => {
  const { port } = await serveOnPort(t);
  const silent = Array.from({ length: 30 }, () => dial(port));
  const slow = Array.from({ length: 30 }, () => dial(port));
  for (const { socket } of slow) socket.write("GET /metrics HTTP/1.1\r\nhost: x\r\n");
  const drip = setInterval(() => {
    for (const { socket } of slow) if (socket.writable) socket.write("x-a: b\r\n");
  }, 100);
  t.after(() => clearInterval(drip));
  // There are connections left meanwhile, and the event loop is free.
  assert.equal((await ask("/livez", { port })).code, 200);
  await settled(Promise.all([...silent, ...slow].map(({ closed }) => closed)), "all are closed");
  assert.equal((await ask("/livez", { port })).code, 200);
});

test("what is not HTTP is closed", async (t) => {
  const { port } = await serveOnPort(t);
  for (const bytes of [
    "\u0016\u0003\u0001\u0002\u0000",
    `GET /${"x".repeat(20_000)} HTTP/1.1\r\n`,
  ]) {
    const { socket, closed } = dial(port);
    socket.write(bytes);
    await settled(closed, "the connection is closed");
  }
  assert.equal((await ask("/livez", { port })).code, 200);
});

test("a stop closes connections that rest", async (t) => {
  const { port, end } = await serveOnPort(t);
  const { socket, closed } = dial(port);
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  await end();
  await settled(closed, "the connection is closed");
  await assert.rejects(ask("/livez", { port }));
});

test("a stop closes a connection that has not finished its TLS handshake", async (t) => {
  const { http, port, ca } = await tlsOptions(t);
  const { log, lines } = collectLog();
  const stop = new AbortController();
  t.after(() => stop.abort());
  const answer = (_: unknown, response: ServerResponse): Promise<void> => {
    response.end();
    return Promise.resolve();
  };
  // No limit of time ends the handshake.
  const serving = serveEndpoint({ http, log, answer, requestMs: 3_600_000 }, stop.signal);
  await until(() => lines.length > 0, "the endpoint listens");
  const { socket, closed } = dial(port);
  t.after(() => socket.destroy());
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  // The endpoint accepts connections one after the other, so it has accepted the one above too.
  assert.equal((await ask("/", { port, ca })).code, 200);
  stop.abort();
  await settled(serving, "the endpoint ends");
  await settled(closed, "the connection is closed");
});
