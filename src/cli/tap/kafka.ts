import { randomUUID } from "node:crypto";
import { toConsumerError } from "../../consumer/kafka/client.ts";
import { kafkaTopic } from "../../consumer/kafka/topic-source.ts";
import { type ConsumerLogger, silentLogger } from "../../consumer/logger.ts";
import { Session } from "../../consumer/session.ts";
import { createKafka, disconnect } from "../../sinks/kafka/client.ts";
import { createLogger } from "../logger.ts";
import { inLine, say } from "../output.ts";
import type { ConnectOptions } from "../verify/credentials.ts";
import { kafkaTarget } from "../verify/kafka.ts";
import { eventsIn } from "./message-events.ts";
import type { Show, TapSource } from "./source.ts";

const stopTimeoutMs = 1000;

/** Only what is worth knowing for somebody who waits for events. */
const log: ConsumerLogger = {
  ...silentLogger,
  warn: (fields, message) => {
    const { error } = fields as { readonly error?: string };
    say(inLine(error === undefined ? message : `${message}, trying again: ${error}`));
  },
};

/** Follows a topic from its next message onward, in a consumer group of its own. Throws CERTWIRE_USAGE. */
export function kafkaTap(url: string, options: ConnectOptions): TapSource {
  const target = kafkaTarget(url, options, "certwire-tap");
  const { topic } = target;
  const follow = async (show: Show, signal: AbortSignal): Promise<void> => {
    const client = createKafka(target, createLogger("silent"));
    const groupId = `certwire-tap-${randomUUID()}`;
    try {
      await kafkaTopic({ client, topic, groupId, fromBeginning: false }).run({
        log,
        signal,
        stopTimeoutMs,
        openSession: () => new Session(),
        deliver: async (message) => {
          await show(eventsIn(message.place, message));
          return "handled";
        },
      });
    } catch (error) {
      throw toConsumerError(error, `cannot read the topic "${topic}"`);
    }
    const admin = client.admin();
    // Without the right to do so the broker forgets the group by itself.
    await admin
      .connect()
      .then(() => admin.deleteGroups([groupId]))
      .catch(() => undefined);
    await disconnect(admin);
  };
  return { name: `topic ${topic}`, follow };
}
