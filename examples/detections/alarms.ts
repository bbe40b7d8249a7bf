import type { Writable } from "node:stream";
import { Kafka, logLevel } from "kafkajs";
import type { Alarm } from "./detector.ts";

/** Where alarms go. Add your own: a ticket system, a webhook, a mail. */
export interface AlarmTarget {
  /** Resolves when the alarms are safe; an alarm that is raised again has the same `id`. */
  raise(alarms: readonly Alarm[]): Promise<void>;
  close(): Promise<void>;
}

/** Writes each alarm as one line of JSON. */
export function printedAlarms(output: Writable): AlarmTarget {
  return {
    async raise(alarms) {
      const lines = alarms.map((alarm) => `${JSON.stringify(alarm)}\n`).join("");
      await new Promise<void>((resolve, reject) => {
        output.write(lines, (error) => (error ? reject(error) : resolve()));
      });
    },
    close: async () => undefined,
  };
}

/** Sends each alarm to a topic of Kafka, with its id as key. */
export async function kafkaAlarms(brokers: readonly string[], topic: string): Promise<AlarmTarget> {
  const kafka = new Kafka({
    clientId: "certificate-alarms",
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer();
  await producer.connect();
  return {
    async raise(alarms) {
      const messages = alarms.map((alarm) => ({ key: alarm.id, value: JSON.stringify(alarm) }));
      await producer.send({ topic, acks: -1, messages });
    },
    close: () => producer.disconnect(),
  };
}
