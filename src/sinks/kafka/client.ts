import kafkajs, { Kafka, type KafkaConfig, type LogEntry, logLevel, type Producer } from "kafkajs";
import type { Logger } from "pino";
import { clock } from "../../clock.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { fetchWithCredentials } from "../../kafka/client-credentials.ts";
import { fetchFromIam } from "../../kafka/msk-iam.ts";
import { oauthMechanism } from "../../kafka/oauth-mechanism.ts";
import { patchRequestQueue } from "../../kafka/request-queue.ts";
import { TokenKeeper } from "../../kafka/token-keeper.ts";
import { registerZstd, zstdProblem } from "../../kafka/zstd.ts";
import { logLine } from "../../log/log-line.ts";
import { loadTls } from "../tls-options.ts";
import { toKafkajsBroker } from "./ipv6.ts";
import { type ResolvedKafkaSinkOptions, zstdHint } from "./options.ts";
import type { PasswordSasl, ResolvedSasl } from "./sasl-options.ts";
import { socketFactory } from "./socket-factory.ts";

/** Longest wait for a client to disconnect, in ms. */
const disconnectTimeoutMs = 2000;

/** Makes a kafkajs client. `sasl`: made before, so that its token is used again. Throws a CertwireError. */
export function createKafka(
  options: ResolvedKafkaSinkOptions,
  log: Logger,
  sasl: KafkaSasl | undefined = options.sasl && saslOf(options.sasl, log),
): Kafka {
  patchRequestQueue();
  registerZstd(kafkajs.CompressionCodecs);
  const { tls, compression } = options;
  if (compression === "zstd") assertZstd();
  // Files that cannot be used throw here, with a reason; kafkajs would hide it.
  if (tls) loadTls(tls);
  if (options.sasl) assertReadable(options.sasl);
  return new Kafka({
    clientId: options.clientId,
    brokers: options.brokers.map(toKafkajsBroker),
    socketFactory: socketFactory(tls),
    connectionTimeout: options.connectTimeoutMs,
    authenticationTimeout: options.connectTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    enforceRequestTimeout: true,
    // For connecting, which tries the brokers in turn. Finite: the pipeline owns the endless retries.
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1000 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => forward(log, entry),
    ...(sasl && { sasl }),
  });
}

function assertZstd(): void {
  const problem = zstdProblem();
  if (problem === undefined) return;
  throw new CertwireError("CERTWIRE_SINK_CONFIG", problem, { hint: zstdHint });
}

/** What kafkajs gets as `sasl`. It may be used for several clients, which share its token. */
export type KafkaSasl = NonNullable<KafkaConfig["sasl"]>;

/** How a client proves who it is. Nothing is read or connected to before kafkajs asks for it. */
export function saslOf(sasl: ResolvedSasl, log: Logger): KafkaSasl {
  if (sasl.mechanism === "oauthbearer") {
    const keeper = new TokenKeeper(fetchWithCredentials(sasl.credentials), log);
    return oauthMechanism(keeper, sasl.extensions);
  }
  if (sasl.mechanism === "aws-msk-iam") {
    return oauthMechanism(new TokenKeeper(fetchFromIam(sasl.region), log));
  }
  return passwordAccess(sasl);
}

/** kafkajs takes the password from this object at each connection, and it is read again each time. */
function passwordAccess({ mechanism, username, password }: PasswordSasl): KafkaSasl {
  const access = {
    mechanism,
    username,
    get password() {
      return password();
    },
  };
  return access as KafkaSasl;
}

/** Throws a CertwireError, with a reason, if a file of the credentials cannot be used. */
function assertReadable(sasl: ResolvedSasl): void {
  if (sasl.mechanism === "aws-msk-iam") return;
  if (sasl.mechanism !== "oauthbearer") {
    sasl.password();
    return;
  }
  sasl.credentials.clientSecret();
  sasl.credentials.ca?.();
}

/** Connects an idempotent producer, which shows whether this client may publish. Rejects with what kafkajs throws. */
export async function connectProducer(kafka: Kafka): Promise<Producer> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    // The minimum that kafkajs allows: the second try has new metadata, which is enough after a leader
    // moved. After a timeout, more tries would only wait for the same dead connection again
    // (https://github.com/tulios/kafkajs/pull/1783).
    retry: { retries: 1, initialRetryTime: 100 },
  });
  try {
    await producer.connect();
  } catch (error) {
    await producer.disconnect().catch(() => undefined);
    throw error;
  }
  return producer;
}

/** Disconnects without waiting long: a dead connection must not delay a new one or a stop. */
export async function disconnect(client: { disconnect(): Promise<void> }): Promise<void> {
  const timeout = clock.delay(disconnectTimeoutMs, { ref: false });
  await Promise.race([client.disconnect().catch(() => undefined), timeout]);
}

/** kafkajs reports each failure as an error, too, so its own messages are only for debugging. */
function forward(log: Logger, { namespace, log: { message, error } }: LogEntry): void {
  const fields = { kafkajs: namespace, line: message, ...(typeof error === "string" && { error }) };
  logLine(log, "the Kafka client logged a line", fields);
}
