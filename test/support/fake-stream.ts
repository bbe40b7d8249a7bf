import { deliverFrames } from "./amqp-frames.ts";

/** A channel of a client, with at most one consumer. */
interface StreamChannel {
  readonly number: number;
  readonly write: (frames: Buffer) => void;
  /** Messages that may be on their way without an acknowledgement. */
  prefetch: number;
  deliveryTag: number;
  /** Delivery tags that are not acknowledged. */
  readonly open: Set<number>;
  /** Offset that the consumer asked for: what is below it is left out. Absent without a consumer. */
  least?: number;
  /** Offset of its next message. */
  next: number;
}

/** A method of a client with its arguments. */
interface Asked {
  readonly method: string;
  readonly channel: number;
  readonly args: Buffer;
}

/** One connection to a broker with a stream. */
export interface StreamConnection {
  /** Called for each method that the broker does not refuse. */
  readonly asked: (asked: Asked) => void;
  readonly ended: () => void;
}

const attribute = "x-stream-offset";
/** Messages that are handed out together, whatever the prefetch is. */
const chunkSize = 3;

/**
 * A stream as RabbitMQ has it: "first" begins at the oldest message, "last" at the newest one, "next" after it, and an
 * offset after the end is taken for "next".
 */
export class FakeStream {
  /** True if messages have no offset, as those of a queue. */
  isQueue = false;
  /** True while no message is handed out, as by a stream without a leader. */
  isSilent = false;
  /** How often each message is handed out on a channel. */
  copies = 1;
  #bodies: Buffer[] = [];
  /** Offset of the oldest message that retention has left. */
  #first = 0;
  readonly #connections = new Set<Map<number, StreamChannel>>();

  get messages(): number {
    return this.#bodies.length - this.#first;
  }

  append(...bodies: readonly string[]): void {
    this.#bodies.push(...bodies.map((body) => Buffer.from(body)));
    for (const channels of this.#connections) this.#pump(channels);
  }

  /** Deletes the stream and declares it again: it is empty, and begins at offset 0. */
  declareAgain(): void {
    this.#bodies = [];
    this.#first = 0;
  }

  /** Deletes the oldest messages, as retention does. */
  deleteOldest(count: number): void {
    this.#first += count;
  }

  /** A connection of a client; `write` sends it frames. */
  connect(write: (frames: Buffer) => void): StreamConnection {
    const channels = new Map<number, StreamChannel>();
    this.#connections.add(channels);
    return {
      asked: (asked) => {
        this.#asked(channels, write, asked);
        // After the broker's answer.
        setImmediate(() => this.#pump(channels));
      },
      ended: () => void this.#connections.delete(channels),
    };
  }

  #asked(
    channels: Map<number, StreamChannel>,
    write: (frames: Buffer) => void,
    { method, channel: number, args }: Asked,
  ): void {
    if (method === "20.10") {
      channels.set(number, {
        number,
        write,
        prefetch: 0,
        deliveryTag: 0,
        open: new Set(),
        next: 0,
      });
    }
    const channel = channels.get(number);
    if (channel === undefined) return;
    if (method === "20.40") channels.delete(number);
    if (method === "60.10") channel.prefetch = args.readUInt16BE(4);
    if (method === "60.20") {
      channel.least = this.#offsetIn(args);
      channel.next = Math.min(Math.max(channel.least, this.#first), this.#bodies.length);
    }
    if (method === "60.80") acknowledge(channel, args);
  }

  #offsetIn(args: Buffer): number {
    const at = args.indexOf(attribute) + attribute.length;
    const type = args.toString("latin1", at, at + 1);
    if (type === "b") return args.readInt8(at + 1);
    if (type === "s") return args.readInt16BE(at + 1);
    if (type === "I") return args.readInt32BE(at + 1);
    if (type !== "S") throw new Error(`the fake does not know an offset of type ${type}`);
    const word = args.toString("latin1", at + 5, at + 5 + args.readUInt32BE(at + 1));
    if (word === "first") return this.#first;
    const end = this.#bodies.length;
    return word === "last" ? Math.max(this.#first, end - 1) : end;
  }

  #pump(channels: Map<number, StreamChannel>): void {
    if (this.isSilent) return;
    for (const channel of channels.values()) this.#deliver(channel);
  }

  #deliver(channel: StreamChannel): void {
    const { least, number, write, open } = channel;
    if (least === undefined) return;
    const isInChunk = (): boolean => channel.next % chunkSize > 0;
    while ((open.size < channel.prefetch || isInChunk()) && channel.next < this.#bodies.length) {
      const offset = channel.next;
      channel.next += 1;
      if (offset < least) continue;
      const body = this.#bodies[offset] ?? Buffer.alloc(0);
      for (let copy = 0; copy < this.copies; copy += 1) {
        channel.deliveryTag += 1;
        const { deliveryTag } = channel;
        open.add(deliveryTag);
        const headerOffset = this.isQueue ? undefined : offset;
        write(deliverFrames({ channel: number, deliveryTag, offset: headerOffset }, body));
      }
    }
  }
}

function acknowledge({ open }: StreamChannel, args: Buffer): void {
  const tag = Number(args.readBigUInt64BE(0));
  const isMultiple = args[8] === 1;
  for (const each of open) if (each === tag || (isMultiple && each <= tag)) open.delete(each);
}
