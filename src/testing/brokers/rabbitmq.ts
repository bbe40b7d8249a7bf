import type { EventSource } from "../../consumer/event-source.ts";
import { rabbitMqQueue } from "../../consumer/rabbitmq/queue-source.ts";
import { loadLibrary } from "../../libraries.ts";
import { usageError } from "../ca/usage-error.ts";
import type { PublishTarget } from "../publish/publish.ts";
import { type ContainerOptions, startupTimeoutMs } from "./kafka.ts";

type RabbitMqModule = typeof import("@testcontainers/rabbitmq");

/** Image of `startRabbitMq`. */
const rabbitMqImage = "rabbitmq:4.1.0-management";

const defaultExchange = "certwire";

/** A RabbitMQ for tests. */
export interface TestRabbitMq {
  /** `amqp://user:password@host:port`. */
  readonly url: string;
  /**
   * Declares a topic exchange and a durable queue that gets the events of some kinds. Default of `exchange`: `certwire`;
   * of `bindingKey`: `#`, every event.
   */
  createQueue(
    queue: string,
    options?: { readonly exchange?: string; readonly bindingKey?: string },
  ): Promise<void>;
  /** Where `publish` and `replay` send events for an exchange, default `certwire`. */
  target(exchange?: string): PublishTarget;
  /** A queue for `openInbox` or for a consumer. */
  source(queue: string): EventSource;
  /** Stops the container; does nothing for a RabbitMQ that runs elsewhere. */
  stop(): Promise<void>;
}

/**
 * Starts RabbitMQ in a container, by the module of testcontainers. Rejects with CERTWIRE_OPTIONAL_LIBRARY if
 * `@testcontainers/rabbitmq` is not installed, and with what testcontainers throws without a container engine.
 *
 * ```js
 * import { expectEvent, openInbox, publish, startRabbitMq, testCa } from "certwire/testing";
 *
 * const rabbit = await startRabbitMq();
 * await rabbit.createQueue("inventory");
 * const ca = testCa();
 * const issued = ca.issue();
 * await publish(ca.events, rabbit.target());
 * const inbox = openInbox(rabbit.source("inventory"));
 * await expectEvent(inbox, "certificate.issued", { id: issued.id });
 * await inbox.close();
 * await rabbit.stop();
 * ```
 */
export async function startRabbitMq({
  image = rabbitMqImage,
}: ContainerOptions = {}): Promise<TestRabbitMq> {
  const { RabbitMQContainer } = loadLibrary("@testcontainers/rabbitmq") as RabbitMqModule;
  const container = await new RabbitMQContainer(image).withStartupTimeout(startupTimeoutMs).start();
  const url = container.getAmqpUrl().replace("amqp://", "amqp://guest:guest@");
  return { ...rabbitMqAt(url), stop: async () => void (await container.stop()) };
}

/**
 * A RabbitMQ that runs already, such as a service container of a pipeline. Throws CERTWIRE_TESTING_OPTIONS if `url` is
 * not one of AMQP.
 */
export function rabbitMqAt(url: string): TestRabbitMq {
  if (!/^amqps?:/.test(url) || !URL.canParse(url)) {
    throw usageError(
      "url: it is not a URL of AMQP",
      "Write it as amqp://guest:guest@localhost:5672.",
    );
  }
  const { protocol, username, password, host, pathname } = new URL(url);
  return {
    url,
    createQueue: (queue, { exchange = defaultExchange, bindingKey = "#" } = {}) =>
      createQueue(url, queue, exchange, bindingKey),
    target: (exchange = defaultExchange) => ({
      url: `${protocol}//${username === "" ? "" : `${username}@`}${host}${pathname || "/"}?exchange=${encodeURIComponent(exchange)}`,
      ...(password !== "" && { password: decodeURIComponent(password) }),
    }),
    source: (queue) => rabbitMqQueue({ connection: url, queue }),
    stop: () => Promise.resolve(),
  };
}

async function createQueue(
  url: string,
  queue: string,
  exchange: string,
  bindingKey: string,
): Promise<void> {
  const { connect } = await import("amqplib");
  const connection = await connect(url);
  // Without a listener a lost connection would end the process; the call that is under way fails anyway.
  connection.on("error", () => undefined);
  try {
    const channel = await connection.createChannel();
    await channel.assertExchange(exchange, "topic", { durable: true });
    await channel.assertQueue(queue, { durable: true });
    await channel.bindQueue(queue, exchange, bindingKey);
    await channel.close();
  } finally {
    await connection.close();
  }
}
