import type { ReceivedMessage } from "../consumer/message.ts";
import { readEvent } from "../consumer/read-event.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import type { EventContents, ReadEvents } from "../reconcile/event-contents.ts";
import { say } from "./output.ts";
import { type ConnectOptions, givenOptions, usage } from "./verify/credentials.ts";
import type { Extent, MessageTaker } from "./verify/read-to-end.ts";

/** The options that name a topic or a stream. */
export interface EventPlaceOptions extends ConnectOptions {
  readonly kafka?: string;
  readonly rabbitmqStream?: string;
}

/** A topic or stream to compare with. */
export interface EventPlace {
  readonly noun: EventContents["noun"];
  /** For people; never holds a secret. */
  readonly name: string;
  /** Different for each place of each broker. */
  readonly key: string;
  readonly read: ReadEvents;
}

/** The topic or stream that the options name; `undefined` if they name none. Throws CERTWIRE_USAGE. */
export async function chooseEventPlace(
  options: EventPlaceOptions,
): Promise<EventPlace | undefined> {
  const { kafka, rabbitmqStream } = options;
  if (kafka !== undefined && rabbitmqStream !== undefined) {
    throw usage("--kafka and --rabbitmq-stream cannot be used together");
  }
  if (kafka !== undefined) {
    const { kafkaTarget, readTopic } = await import("./verify/kafka.ts");
    const target = kafkaTarget(kafka, options, "certwire-reconcile");
    const { topic, brokers } = target;
    const name = `topic ${topic}`;
    return {
      noun: "topic",
      name,
      key: `kafka ${brokers.toSorted().join()} ${topic}`,
      read: (contents, signal, onMessages) =>
        readInto(contents, name, onMessages, (taker) => readTopic(target, taker, 0, signal)),
    };
  }
  if (rabbitmqStream !== undefined) {
    const { readStream, streamTarget } = await import("./verify/rabbitmq-stream.ts");
    const target = streamTarget(rabbitmqStream, options, "certwire reconcile");
    const { stream, broker } = target;
    const hosts = broker.hosts.map(({ host, port }) => `${host}:${port}`);
    const name = `stream ${stream}`;
    return {
      noun: "stream",
      name,
      key: `rabbitmq ${hosts.toSorted().join()} ${broker.vhost} ${stream}`,
      read: (contents, signal, onMessages) =>
        readInto(contents, name, onMessages, (taker) => readStream(target, taker, 0, signal)),
    };
  }
  const [needless] = givenOptions(options);
  if (needless !== undefined) throw usage(`${needless} is for --kafka and --rabbitmq-stream`);
  return undefined;
}

async function readInto(
  contents: EventContents,
  name: string,
  onMessages: (messages: number) => void,
  read: (taker: MessageTaker) => Promise<void>,
): ReturnType<ReadEvents> {
  const taker = new ContentsTaker(contents, name, onMessages);
  await read(taker);
  return taker.truncated;
}

/** Puts the events of messages into an index. */
class ContentsTaker implements MessageTaker {
  readonly #contents: EventContents;
  readonly #name: string;
  readonly #onMessages: (messages: number) => void;
  #messages = 0;
  truncated: readonly string[] = [];
  /** What is on its way is too young to be compared. */
  readonly holes = 0;

  constructor(contents: EventContents, name: string, onMessages: (messages: number) => void) {
    this.#contents = contents;
    this.#name = name;
    this.#onMessages = onMessages;
  }

  expect(extents: readonly Extent[]): void {
    if (extents.every(({ low, high }) => high <= low)) {
      throw new CertwireError("CERTWIRE_VERIFY_EMPTY", `the ${this.#name} has no messages`);
    }
    this.truncated = extents.filter(({ low }) => low > 0n).map(({ place }) => place);
  }

  expectCompaction(): void {
    const message = `the broker compacts the ${this.#name}: what it deletes would seem to be missing`;
    const hint = "Compare the database with the journal.";
    throw new CertwireError("CERTWIRE_USAGE", message, { hint });
  }

  compare(before: readonly Extent[], after: readonly Pick<Extent, "place" | "low">[]): void {
    for (const { place, low } of after) {
      const known = before.find((extent) => extent.place === place);
      if (known === undefined || low <= known.low) continue;
      say(`the broker deleted messages of ${place} meanwhile: some may seem to be missing`);
    }
  }

  add(
    message: Pick<ReceivedMessage, "headers" | "body">,
    _where: object,
    { truncatedPartition }: { readonly truncatedPartition?: string } = {},
  ): void {
    this.#messages += 1;
    this.#onMessages(this.#messages);
    try {
      this.#contents.add({ event: readEvent(message), truncated: truncatedPartition });
    } catch (error) {
      const isForeign = error instanceof CertwireError && error.code === "CERTWIRE_MESSAGE_INVALID";
      if (!isForeign) throw error;
    }
  }

  async makeSpace(): Promise<void> {
    if (this.#contents.isFull) await this.#contents.write();
  }
}
