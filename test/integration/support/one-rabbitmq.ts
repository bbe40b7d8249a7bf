import { after, before } from "node:test";
import { type Channel, connect } from "amqplib";
import type { RabbitmqCluster } from "./broker-provider.ts";
import { type Faults, startRabbitmq } from "./brokers.ts";
import { leaveRabbitmq } from "./leave-rabbitmq.ts";
import { readRabbitmq } from "./read-rabbitmq.ts";

/** A RabbitMQ of one node that the tests of a suite share, and may harm unless it is asked for without faults. */
export class OneRabbitmq {
  readonly #prefix: string;
  #cluster: RabbitmqCluster | undefined;
  readonly #names: string[] = [];

  /** Called within a suite: the broker runs from before its first test until after its last. */
  constructor(prefix: string, { faults = true }: Faults = {}) {
    this.#prefix = prefix;
    before(async () => {
      this.#cluster = await startRabbitmq({ faults });
    });
    after(async () => {
      await (faults ? this.cluster.stop() : leaveRabbitmq(this.cluster, this.#names));
    });
  }

  get cluster(): RabbitmqCluster {
    if (this.#cluster === undefined) throw new Error("the broker is not running");
    return this.#cluster;
  }

  get urls(): readonly string[] {
    return this.cluster.urls;
  }

  get url(): string {
    return this.urls[0] ?? "";
  }

  /** `host:port` of the broker. */
  get host(): string {
    return new URL(this.url).host;
  }

  /** Runs `rabbitmqctl`. */
  ctl(...args: string[]): Promise<string> {
    return this.cluster.ctl(1, ...args);
  }

  /** A name that no other test of the suite has: the prefix and a number. */
  freshName(): string {
    const name = `${this.#prefix}-${this.#names.length + 1}`;
    this.#names.push(name);
    return name;
  }

  /** Takes all events out of a queue. */
  async readEvents(queue: string) {
    return (await readRabbitmq(this.url, queue)).map((body) => JSON.parse(body));
  }

  /** Does something over a channel of its own. */
  async withChannel<T>(act: (channel: Channel) => Promise<T>): Promise<T> {
    const connection = await connect(this.url);
    try {
      return await act(await connection.createChannel());
    } finally {
      await connection.close();
    }
  }
}
