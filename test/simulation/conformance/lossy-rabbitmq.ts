import type { Interceptor, ProxyConnection } from "../../integration/support/tcp-proxy.ts";
import { FrameSplitter } from "./frames.ts";
import type { MessageLoss } from "./rabbitmq-script.ts";

/** Methods of AMQP 0-9-1: the class, then the method, 16 bits each. */
const methods = {
  closeConnection: 0x000a_0032,
  openChannel: 0x0014_000a,
  closeChannel: 0x0014_0028,
  publish: 0x003c_0028,
  ack: 0x003c_0050,
  nack: 0x003c_0078,
};

/** A publish that comes to nothing. */
interface Planned {
  readonly loss: MessageLoss;
  /** Messages that have no confirm yet, also those that are still to come. */
  messages: number;
}

/** What becomes of the next publish, on whatever connection of a proxy. */
export class RabbitMqLosses {
  #planned: Planned | undefined;

  /** What the next publish loses, of as many messages as it has, together with its connection; nothing by default. */
  plan(planned: Planned | undefined): void {
    this.#planned = planned && { ...planned };
  }

  /** For `intercept` of a proxy. */
  readonly on = (connection: ProxyConnection): Interceptor =>
    new LossyConnection(connection, () => {
      const planned = this.#planned;
      this.#planned = undefined;
      return planned;
    });
}

class LossyConnection implements Interceptor {
  readonly #connection: ProxyConnection;
  readonly #take: () => Planned | undefined;
  readonly #requests = new FrameSplitter(cutFrame);
  readonly #answers = new FrameSplitter(cutFrame);
  /** Messages that came on each channel since it was opened. */
  readonly #published = new Map<number, number>();
  /** What is lost of the publish on a channel, from its first message on. */
  #losing: (Planned & { readonly channel: number; readonly unconfirmed: Set<number> }) | undefined;

  constructor(connection: ProxyConnection, take: () => Planned | undefined) {
    this.#connection = connection;
    this.#take = take;
  }

  fromClient(bytes: Buffer): Buffer {
    const frames = this.#requests.split(bytes);
    for (const frame of frames) this.#see(frame);
    return this.#losing?.loss === "messages" ? Buffer.alloc(0) : Buffer.concat(frames);
  }

  fromServer(bytes: Buffer): Buffer {
    const frames = this.#answers.split(bytes);
    for (const frame of frames) this.#settle(frame);
    return this.#losing === undefined ? Buffer.concat(frames) : Buffer.alloc(0);
  }

  #see(frame: Buffer): void {
    const channel = frame.readUInt16BE(1);
    const method = methodOf(frame);
    if (method === methods.openChannel) this.#published.set(channel, 0);
    if (method !== methods.publish) return;
    const tag = (this.#published.get(channel) ?? 0) + 1;
    this.#published.set(channel, tag);
    const planned = this.#losing ?? this.#take();
    if (planned === undefined) return;
    const losing = (this.#losing ??= { ...planned, channel, unconfirmed: new Set() });
    if (losing.loss === "messages") this.#connection.setMode("cut");
    losing.messages -= 1;
    losing.unconfirmed.add(tag);
  }

  /** Breaks the connection once the broker has answered to every message. */
  #settle(frame: Buffer): void {
    const losing = this.#losing;
    if (losing === undefined) return;
    const method = methodOf(frame);
    if (method === methods.ack || method === methods.nack) confirm(losing.unconfirmed, frame);
    const isClosed = method === methods.closeChannel || method === methods.closeConnection;
    if (isClosed || (losing.messages === 0 && losing.unconfirmed.size === 0)) {
      this.#connection.setMode("cut");
    }
  }
}

/** Takes the numbers that an ack or nack names: one, or all up to it. */
function confirm(unconfirmed: Set<number>, frame: Buffer): void {
  const tag = Number(frame.readBigUInt64BE(11));
  const isMultiple = (frame.readUInt8(19) & 1) === 1;
  for (const each of unconfirmed) {
    if (each === tag || (isMultiple && (each < tag || tag === 0))) unconfirmed.delete(each);
  }
}

/** The method of a frame; `undefined` for one of another type. */
function methodOf(frame: Buffer): number | undefined {
  return frame.readUInt8(0) === 1 ? frame.readUInt32BE(7) : undefined;
}

/** A frame is its type, channel, length, content and end; before the first a client sends the name of the protocol. */
function cutFrame(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 8) return undefined;
  const isName = bytes.toString("latin1", 0, 4) === "AMQP";
  const length = isName ? 8 : 8 + bytes.readUInt32BE(3);
  return bytes.length < length ? undefined : bytes.subarray(0, length);
}
