import { serverDate } from "../../kafka/server-date.ts";
import { zstdProblem } from "../../kafka/zstd.ts";
import type { BrokerServers } from "../broker-certificate.ts";
import { passwordInClear, scramInClear, tokenInClear } from "../broker-options.ts";
import { parseHost } from "../server-url.ts";
import { defineSinkKind, type ServerTime, type SinkFinding } from "../sink-kind.ts";
import {
  type CertificateEnd,
  caEnds,
  certificateEnds,
  earliestOfEach,
  inspectCa,
  inspectTls,
} from "../tls-files.ts";
import { allTopics, kafkaDestinations } from "./destinations.ts";
import {
  kafkaRoute,
  kafkaSinkOptions,
  type ResolvedKafkaSinkOptions,
  resolveKafkaSink,
  zstdHint,
} from "./options.ts";
import type { ResolvedSasl } from "./sasl-options.ts";

/** Topics of a Kafka cluster. */
export const kafka = defineSinkKind({
  kind: "kafka",
  schemes: ["kafka", "kafkas"],
  options: kafkaSinkOptions,
  route: kafkaRoute,
  resolve: resolveKafkaSink,
  inspect,
  certificates,
  servers,
  serverTime,
  destination,
  destinations: (options) => kafkaDestinations(options),
  place: ({ topic }) => `topic ${topic}`,
  async create(options, log) {
    const { KafkaSink } = await import("./sink.ts");
    return new KafkaSink(options, log);
  },
});

function certificates({ tls, sasl }: ResolvedKafkaSinkOptions): CertificateEnd[] {
  const ofBroker = tls === undefined ? [] : certificateEnds(tls);
  const ofTokens =
    sasl?.mechanism === "oauthbearer" && sasl.caFile !== undefined ? caEnds(sasl.caFile) : [];
  return earliestOfEach([...ofBroker, ...ofTokens]);
}

function servers({ brokers, tls }: ResolvedKafkaSinkOptions): BrokerServers {
  return { hosts: brokers.map((broker) => parseHost(broker, 9092)), ...(tls && { tls }) };
}

/** No answer of Kafka says what time it is; the endpoint that issues tokens does. */
async function serverTime(
  { sasl }: ResolvedKafkaSinkOptions,
  timeoutMs: number,
): Promise<ServerTime | undefined> {
  if (sasl?.mechanism !== "oauthbearer") return undefined;
  const { tokenEndpoint: url, ca } = sasl.credentials;
  const date = await serverDate({ url, timeoutMs, ...(ca && { ca: ca() }) });
  return date && { ...date, server: `the token endpoint ${new URL(url).host}` };
}

function destination(options: ResolvedKafkaSinkOptions): string {
  const topics = allTopics(options);
  const name = topics.length === 1 ? "topic" : "topics";
  return `${name} ${topics.join(", ")} on ${options.brokers.join(", ")}`;
}

function inspect({ tls, sasl, compression }: ResolvedKafkaSinkOptions, now: number): SinkFinding[] {
  const findings = tls === undefined ? [] : inspectTls(tls, now);
  const problem = compression === "zstd" ? zstdProblem() : undefined;
  if (problem !== undefined) {
    findings.push({ path: ["compression"], isWarning: false, message: problem, hint: zstdHint });
  }
  if (sasl === undefined) return findings;
  if (tls === undefined) findings.push(inClear(sasl.mechanism)(["sasl", "mechanism"], "kafkas"));
  if (sasl.mechanism === "oauthbearer" && sasl.caFile !== undefined) {
    findings.push(...inspectCa(["sasl", "oauth", "caFile"], sasl.caFile, now));
  }
  return findings;
}

/** The warning that fits what a mechanism sends without TLS. */
function inClear(mechanism: ResolvedSasl["mechanism"]) {
  if (mechanism === "plain") return passwordInClear;
  return mechanism.startsWith("scram") ? scramInClear : tokenInClear;
}
