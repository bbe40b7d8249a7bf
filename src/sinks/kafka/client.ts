import { setTimeout as delay } from "node:timers/promises";
import { Kafka, type KafkaConfig, type LogEntry, logLevel } from "kafkajs";
import type { Logger } from "pino";
import { loadTls } from "../tls-options.ts";
import { toKafkajsBroker } from "./ipv6.ts";
import { patchRequestQueue } from "./kafkajs.ts";
import type { ResolvedKafkaSinkOptions } from "./options.ts";
import { socketFactory } from "./socket-factory.ts";

/** Longest wait for a client to disconnect, in ms. */
const disconnectTimeoutMs = 2000;

/** Makes a kafkajs client. Throws a CertwireError. */
export function createKafka(options: ResolvedKafkaSinkOptions, log: Logger): Kafka {
  patchRequestQueue();
  const { sasl, tls } = options;
  // Files that cannot be used throw here, with a reason; kafkajs would hide it.
  if (tls) loadTls(tls);
  sasl?.password();
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
    ...(sasl && { sasl: saslOf(sasl) }),
  });
}

/** kafkajs takes the password from this object at each connection, and it is read again each time. */
export function saslOf({
  mechanism,
  username,
  password,
}: NonNullable<ResolvedKafkaSinkOptions["sasl"]>) {
  const access = {
    mechanism,
    username,
    get password() {
      return password();
    },
  };
  return access as NonNullable<KafkaConfig["sasl"]>;
}

/** Disconnects without waiting long: a dead connection must not delay a new one or a stop. */
export async function disconnect(client: { disconnect(): Promise<void> }): Promise<void> {
  const timeout = delay(disconnectTimeoutMs, undefined, { ref: false });
  await Promise.race([client.disconnect().catch(() => undefined), timeout]);
}

/** kafkajs reports each failure as an error, too, so its own messages are only for debugging. */
function forward(log: Logger, { namespace, log: { message, error } }: LogEntry): void {
  log.debug({ kafkajs: namespace, ...(typeof error === "string" && { error }) }, message);
}
