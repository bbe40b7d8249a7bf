import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createServer } from "node:tls";
import { brokerCertificates } from "../../../src/sinks/broker-certificate.ts";
import { expiredCertificate, withUnreadableEnd } from "../../support/expired-certificate.ts";
import { startMuteServer } from "../../support/mute-server.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";
import { patienceMs } from "../../support/until.ts";

async function startServer(t: TestContext, change = (pem: string) => pem): Promise<number> {
  const { cert, key } = expiredCertificate(temporaryDirectory(t));
  const server = createServer({ cert: change(cert), key });
  server.on("connection", (socket) => socket.on("error", () => undefined));
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test("the certificate of a broker is seen although it has ended and nobody trusts it", async (t) => {
  const port = await startServer(t);
  const hosts = [{ host: "127.0.0.1", port }];
  const found = await brokerCertificates({ hosts, tls: {} }, patienceMs);
  assert.deepEqual(found, [
    {
      server: `127.0.0.1:${port}`,
      validity: {
        notBeforeMs: Date.parse("2020-01-01T00:00:00Z"),
        notAfterMs: Date.parse("2020-01-31T00:00:00Z"),
      },
    },
  ]);
});

test("a certificate whose dates cannot be read is seen, without them", async (t) => {
  const port = await startServer(t, withUnreadableEnd);
  const found = await brokerCertificates(
    { hosts: [{ host: "127.0.0.1", port }], tls: {} },
    patienceMs,
  );
  assert.deepEqual(found, [{ server: `127.0.0.1:${port}` }]);
});

test("a broker without TLS is not asked, one that says nothing or is not there is left out", async (t) => {
  const { port } = await startMuteServer(t);
  const hosts = [
    { host: "127.0.0.1", port },
    { host: "127.0.0.1", port: 1 },
  ];
  assert.deepEqual(await brokerCertificates({ hosts }, patienceMs), []);
  assert.deepEqual(await brokerCertificates({ hosts, tls: {} }, 200), []);
});
