import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { consumerTag, longString, methodFrame, shortString, uint32 } from "./amqp-frames.ts";
import type { FakeStream } from "./fake-stream.ts";

/**
 * Decides whether a message is confirmed, returned, or refused with a nack; `connection` counts from 1. `later` is a
 * confirm after a moment, unless a channel has ended by then.
 */
export type Confirms = (connection: number) => boolean | "later" | "nack" | "return";

/** What a client asked for. */
export interface FakeRequest {
  /** Counts from 1. */
  readonly connection: number;
  readonly channel: number;
  /** Class and method, such as `60.40`; that of a publish is answered once the size of the message is known. */
  readonly method: string;
  /** Arguments of the method as Latin-1 text, for names in them. */
  readonly text: string;
  /** Bytes of the message's body; 0 for another method. */
  readonly size: number;
  /** Channels that are open on this connection. */
  readonly channels: number;
}

/** How a request is refused: the broker closes the channel or the connection. */
export interface Closing {
  readonly closes: "channel" | "connection";
  readonly replyCode: number;
  readonly replyText: string;
}

/** How the server differs from one that grants everything. */
export interface FakeOptions {
  /** `channel_max` of the server; 0 is no limit. Default 0. */
  readonly channelMax?: number;
  /** The server's version. Default 3.10.8. */
  readonly version?: string;
  /** Called for each request; a closing is sent in the place of the answer, "silent" is no answer at all. */
  readonly refuse?: (request: FakeRequest) => Closing | "silent" | undefined;
  /** Called for each request; what it returns is sent in the same write as the answer, right after it. */
  readonly append?: (request: FakeRequest) => Closing | "blocked" | undefined;
  /** What consumers read. Default: they get nothing. */
  readonly stream?: FakeStream;
}

const publish = "60.40";
/** How much later a confirm comes, in ms. */
const laterMs = 20;
const empty = Buffer.alloc(0);

/** Class, method and arguments. */
type Answer = readonly [classId: number, method: number, args: Buffer];

/** What the broker answers to each method of a client. */
const answers: Readonly<Record<string, Answer>> = {
  "10.40": [10, 41, Buffer.from([0])],
  "10.50": [10, 51, empty],
  "20.10": [20, 11, Buffer.alloc(4)],
  "20.40": [20, 41, empty],
  "40.10": [40, 11, empty],
  "50.20": [50, 21, empty],
  "60.10": [60, 11, empty],
  "60.20": [60, 21, shortString(consumerTag)],
  "85.10": [85, 11, empty],
};

/**
 * A server on 127.0.0.1 that speaks just enough AMQP 0-9-1 to confirm, or not to confirm, messages, and to accept
 * consumers.
 */
export async function startFakeRabbitMq(confirms: Confirms, options: FakeOptions = {}) {
  const sockets: Socket[] = [];
  const requests: FakeRequest[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    serve(socket, sockets.length, {
      ...options,
      confirms,
      refuse(request) {
        requests.push(request);
        return options.refuse?.(request);
      },
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const messages = () => requests.filter(({ method }) => method === publish);
  return {
    url: `amqp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Connections that were made so far. */
    connections: () => sockets.length,
    /** Messages that were published so far, on all connections. */
    messages: () => messages().length,
    /** Everything that was asked for so far, messages included, in its order. */
    requests: (): readonly FakeRequest[] => requests,
    /** Blocks every connection as a memory alarm does: says so, and reads nothing more. */
    block(): void {
      for (const socket of sockets) socket.write(blockedFrame(), () => socket.pause());
    },
    /** Ends what `block` began. */
    unblock(): void {
      for (const socket of sockets)
        socket.write(methodFrame(0, 10, 61, empty), () => socket.resume());
    },
    /** Closes every connection with a reply. */
    close(replyCode: number, replyText: string): void {
      for (const socket of sockets) socket.write(closeFrame(0, { replyCode, replyText }));
    },
    /** Ends every connection without a word. */
    cut(): void {
      for (const socket of sockets) socket.destroy();
    },
    stop(): void {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** How a handshake is refused. */
interface HandshakeRefusal {
  /** The client's method that is refused: connection.start-ok (10.11) or connection.open (10.40). */
  readonly at: "10.11" | "10.40";
  /** Code of the connection.close; without one the server just hangs up. */
  readonly replyCode?: number;
  readonly replyText?: string;
}

/** A server on 127.0.0.1 that refuses every connection during its handshake. */
export async function startRefusingRabbitMq({ at, replyCode, replyText = "" }: HandshakeRefusal) {
  const server = createServer((socket) =>
    serve(socket, 1, {
      confirms: () => false,
      refuse({ method }) {
        if (method !== at) return undefined;
        if (replyCode !== undefined) return { closes: "connection", replyCode, replyText };
        socket.end();
        return "silent";
      },
    }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `amqp://127.0.0.1:${port}`, stop: () => void server.close() };
}

interface Behaviour extends FakeOptions {
  readonly confirms: Confirms;
  readonly refuse: NonNullable<FakeOptions["refuse"]>;
}

function serve(socket: Socket, connection: number, behaviour: Behaviour): void {
  const { channelMax = 0, version = "3.10.8" } = behaviour;
  const tags = new Map<number, number>();
  const open = new Set<number>();
  const consumers = new Set<number>();
  const stream = behaviour.stream?.connect((frames) => socket.write(frames));
  let received = empty;
  /** Channels that have ended. */
  let ended = 0;
  socket.on("error", () => undefined);
  socket.on("close", () => stream?.ended());
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    // The 8 bytes of the protocol header come first, and once.
    if (received.toString("latin1", 0, 4) === "AMQP") {
      received = received.subarray(8);
      socket.write(startFrame(version));
    }
    while (received.length >= 7) {
      const end = 8 + received.readUInt32BE(3);
      if (received.length < end) return;
      const frame = received.subarray(0, end);
      received = received.subarray(end);
      if (frame[0] === 1) handle(frame);
      if (frame[0] === 2) handleMessage(frame);
    }
  });

  function handle(frame: Buffer): void {
    const channel = frame.readUInt16BE(1);
    const method = `${frame.readUInt16BE(7)}.${frame.readUInt16BE(9)}`;
    if (method === publish) return;
    const text = frame.toString("latin1", 11, frame.length - 1);
    const request = { connection, channel, method, text, size: 0, channels: open.size };
    if (isRefused(request)) return;
    if (method === "20.10") open.add(channel);
    if (method === "20.40") closeChannel(channel);
    if (method === "60.20") consumers.add(channel);
    stream?.asked({ method, channel, args: frame.subarray(11) });
    const answer = answerTo(method);
    if (answer) socket.write(Buffer.concat([methodFrame(channel, ...answer), appended(request)]));
  }

  function answerTo(method: string): Answer | undefined {
    if (method === "10.11") return tune(channelMax);
    if (method === "50.10") return queueDeclared(behaviour.stream?.messages ?? 0, consumers.size);
    return answers[method];
  }

  function appended(request: FakeRequest): Buffer {
    const more = behaviour.append?.(request);
    if (more === undefined) return empty;
    if (more === "blocked") return blockedFrame();
    return closeFrame(more.closes === "channel" ? request.channel : 0, more);
  }

  function handleMessage(header: Buffer): void {
    const channel = header.readUInt16BE(1);
    const size = Number(header.readBigUInt64BE(11));
    if (!open.has(channel)) return;
    const request = { connection, channel, method: publish, text: "", size, channels: open.size };
    if (isRefused(request)) return;
    const tag = (tags.get(channel) ?? 0) + 1;
    tags.set(channel, tag);
    const args = Buffer.alloc(9);
    args.writeBigUInt64BE(BigInt(tag));
    const verdict = behaviour.confirms(connection);
    if (verdict === "return") socket.write(returned(header));
    const answer = methodFrame(channel, 60, verdict === "nack" ? 120 : 80, args);
    const endedBefore = ended;
    if (verdict === "later")
      setTimeout(() => ended === endedBefore && socket.write(answer), laterMs);
    else if (verdict) socket.write(answer);
  }

  function closeChannel(channel: number): void {
    ended += 1;
    open.delete(channel);
    consumers.delete(channel);
    tags.delete(channel);
  }

  function isRefused(request: FakeRequest): boolean {
    const closing = behaviour.refuse(request);
    if (closing === undefined || closing === "silent") return closing === "silent";
    const channel = closing.closes === "channel" ? request.channel : 0;
    if (channel !== 0) closeChannel(channel);
    else open.clear();
    socket.write(closeFrame(channel, closing));
    return true;
  }
}

function startFrame(version: string): Buffer {
  const field = Buffer.concat([shortString("version"), Buffer.from("S"), longString(version)]);
  const properties = Buffer.concat([uint32(field.length), field]);
  const content = [Buffer.from([0, 9]), properties, longString("PLAIN"), longString("en_US")];
  return methodFrame(0, 10, 10, Buffer.concat(content));
}

function queueDeclared(messages: number, consumers: number): Answer {
  return [50, 11, Buffer.concat([shortString("q"), uint32(messages), uint32(consumers)])];
}

function tune(channelMax: number): Answer {
  const args = Buffer.from([0, 0, 0, 2, 0, 0, 0, 0]);
  args.writeUInt16BE(channelMax);
  return [10, 30, args];
}

/** basic.return of a message without its body. */
function returned(header: Buffer): Buffer {
  const names = ["NO_ROUTE", "events", "key"].map(shortString);
  const args = Buffer.concat([Buffer.from([1, 56]), ...names]);
  const content = Buffer.from(header);
  content.writeBigUInt64BE(0n, 11);
  return Buffer.concat([methodFrame(header.readUInt16BE(1), 60, 50, args), content]);
}

function blockedFrame(): Buffer {
  return methodFrame(0, 10, 60, shortString("low on memory"));
}

/** connection.close, or channel.close of a channel other than 0. */
function closeFrame(channel: number, reply: Pick<Closing, "replyCode" | "replyText">): Buffer {
  const code = Buffer.alloc(2);
  code.writeUInt16BE(reply.replyCode);
  const args = Buffer.concat([code, shortString(reply.replyText), Buffer.alloc(4)]);
  return channel === 0 ? methodFrame(0, 10, 50, args) : methodFrame(channel, 20, 40, args);
}
