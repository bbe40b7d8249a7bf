import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerCertificates } from "../../../src/service/broker-certificates.ts";
import type { BrokerCertificate } from "../../../src/sinks/broker-certificate.ts";
import { settled, until } from "../../support/until.ts";

test("brokers are asked for their certificates, and one that does not answer disturbs no other", async () => {
  const sink = (name: string, answer: () => Promise<BrokerCertificate[]>) => ({
    options: { name },
    brokerCertificates: answer,
  });
  const validity = { notBeforeMs: 1, notAfterMs: 2 };
  const asked = new BrokerCertificates(
    [
      sink("tls", async () => [{ server: "b1:9093", validity }, { server: "b2:9093" }]),
      sink("gone", () => Promise.reject(new Error("ECONNREFUSED"))),
      sink("plain", async () => []),
    ],
    0,
  );
  const stop = new AbortController();
  const keeping = asked.keep(stop.signal);
  await until(() => asked.ends.size > 0, "a broker has answered");
  stop.abort();
  await settled(keeping, "asking ends");
  assert.deepEqual([...asked.ends], [["tls", [{ name: "b1:9093", notAfterMs: 2 }]]]);
});

test("a broker that does not answer is asked again soon, and what was known of it stays", async () => {
  const answers: BrokerCertificate[][] = [
    [{ server: "b1:9093", validity: { notBeforeMs: 1, notAfterMs: 2 } }, { server: "b2:9093" }],
    [{ server: "b1:9093" }, { server: "b2:9093", validity: { notBeforeMs: 1, notAfterMs: 3 } }],
  ];
  const brokerCertificates = async () => answers.shift() ?? [];
  const asked = new BrokerCertificates([{ options: { name: "tls" }, brokerCertificates }], 0, 0);
  const stop = new AbortController();
  const keeping = asked.keep(stop.signal);
  await until(() => asked.ends.get("tls")?.length === 2, "the other broker has answered");
  stop.abort();
  await settled(keeping, "asking ends");
  assert.deepEqual(asked.ends.get("tls"), [
    { name: "b1:9093", notAfterMs: 2 },
    { name: "b2:9093", notAfterMs: 3 },
  ]);
});
