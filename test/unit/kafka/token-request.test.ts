import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { before, type TestContext, test } from "node:test";
import { TokenError, type TokenErrorKind } from "../../../src/kafka/token-error.ts";
import { requestToken, type TokenRequest } from "../../../src/kafka/token-request.ts";
import {
  makeTempDirectory,
  removeTempDirectory,
} from "../../integration/support/temp-directory.ts";
import {
  makeCertificates,
  type TestCertificates,
} from "../../integration/support/test-certificates.ts";
import { startMuteServer } from "../../support/mute-server.ts";
import { TokenServer } from "../../support/token-server.ts";
import { patienceMs } from "../../support/until.ts";

const clientSecret = "p&w=1+2/3 %4ü";

function requestOf(tokenEndpoint: string, more: Partial<TokenRequest> = {}): TokenRequest {
  return {
    tokenEndpoint,
    clientId: "client:1",
    clientSecret,
    clientAuthentication: "basic",
    timeoutMs: patienceMs,
    ...more,
  };
}

async function listen(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
}

async function assertFails(request: TokenRequest, kind: TokenErrorKind, message: RegExp) {
  await assert.rejects(requestToken(request), (error) => {
    assert.ok(error instanceof TokenError);
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    const basic = Buffer.from(`client%3A1:${clientSecret}`).toString("base64");
    for (const secret of [clientSecret, encodeURIComponent(clientSecret), basic]) {
      assert.ok(!`${error.message} ${error.hint} ${error.stack}`.includes(secret));
    }
    return true;
  });
}

for (const clientAuthentication of ["basic", "post"] as const) {
  test(`ID and secret arrive whole by ${clientAuthentication}`, async (t) => {
    const server = new TokenServer();
    server.clientId = "client:1";
    server.clientSecret = clientSecret;
    await server.start();
    t.after(() => server.stop());
    const more = { clientAuthentication, scope: "kafka publish" };
    const { value, lifetimeMs } = await requestToken(requestOf(server.url, more));
    assert.equal(value.split(".").length, 3);
    assert.equal(lifetimeMs, 3_600_000);
    assert.deepEqual(server.queries, [
      {
        grantType: "client_credentials",
        scope: "kafka publish",
        clientId: "client:1",
        clientSecret,
      },
    ]);
  });
}

test("an answer without end is cut off", async (t) => {
  const block = "x".repeat(65_536);
  let isClosed = false;
  const url = await listen(t, (_, response) => {
    response.on("close", () => {
      isClosed = true;
    });
    const more = (): void => {
      let isRoom = !isClosed;
      while (isRoom) isRoom = response.write(block);
    };
    response.on("drain", more);
    more();
  });
  await assertFails(requestOf(url), "config", /more than 262144 bytes/);
});

test("a redirect is not followed", async (t) => {
  let requests = 0;
  const url = await listen(t, (_, response) => {
    requests += 1;
    response.writeHead(307, { location: "http://127.0.0.1:1/elsewhere" }).end();
  });
  await assertFails(requestOf(url), "config", /status 307/);
  assert.equal(requests, 1);
});

test("a server that hangs up in the middle of its answer counts as unreachable", async (t) => {
  const url = await listen(t, (_, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write('{"access_token":"t"', () => response.destroy());
  });
  await assertFails(requestOf(url), "unreachable", /cannot reach the token endpoint 127/);
});

test("a server that repeats the secret in its error does not get it into a message", async (t) => {
  const url = await listen(t, (request, response) => {
    const description = `${clientSecret} ${request.headers.authorization}`;
    response.writeHead(400);
    response.end(JSON.stringify({ error: "invalid_scope", error_description: description }));
  });
  await assertFails(requestOf(url), "config", /invalid_scope: \*\*\*/);
});

test("nobody listens, or nobody answers", async (t) => {
  const server = await startMuteServer(t);
  const mute = requestOf(`http://127.0.0.1:${server.port}/token`, { timeoutMs: 100 });
  await assertFails(mute, "unreachable", /no answer .* within 100 ms/);
  await assertFails(requestOf("http://127.0.0.1:1/token"), "unreachable", /ECONNREFUSED/);
  const unknown = "https://token.invalid/token";
  await assertFails(requestOf(unknown), "unreachable", /token\.invalid/);
});

test("an answer that drips is over when its time is", async (t) => {
  const url = await listen(t, (_, response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write(" "), 5);
    response.on("close", () => clearInterval(drip));
  });
  await assertFails(requestOf(url, { timeoutMs: 200 }), "unreachable", /within 200 ms/);
});

let certificates: TestCertificates;
before(async () => {
  const directory = makeTempDirectory("token-certificates");
  certificates = await makeCertificates(directory);
  process.on("exit", () => removeTempDirectory(directory));
});

test("over TLS the endpoint is verified, against the CA file if there is one", async (t) => {
  const { certificateFile, keyFile } = certificates.broker;
  const files = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
  const server = createTlsServer(files, (_, response) => {
    response.end('{"access_token":"t","token_type":"Bearer","expires_in":60}');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const url = `https://localhost:${port}/token`;
  const ca = readFileSync(certificates.caFile, "utf8");
  assert.deepEqual(await requestToken(requestOf(url, { ca })), { value: "t", lifetimeMs: 60_000 });
  await assertFails(requestOf(url), "config", /certificate/);
  const address = requestOf(`https://127.0.0.1:${port}/token`, { ca });
  await assertFails(address, "config", /127\.0\.0\.1/);
});
