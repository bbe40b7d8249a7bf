import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** Decides whether a message is confirmed, or refused with a nack; `connection` counts from 1. */
export type Confirms = (connection: number) => boolean | "nack";

const publish = "60.40";
const empty = Buffer.alloc(0);

/** What the broker answers to each method of a client: method and arguments. */
const answers: Readonly<Record<string, readonly [classId: number, method: number, args: Buffer]>> =
  {
    "10.11": [10, 30, Buffer.from([0, 0, 0, 2, 0, 0, 0, 0])],
    "10.40": [10, 41, Buffer.from([0])],
    "10.50": [10, 51, empty],
    "20.10": [20, 11, Buffer.alloc(4)],
    "20.40": [20, 41, empty],
    "40.10": [40, 11, empty],
    "85.10": [85, 11, empty],
  };

/** A server on 127.0.0.1 that speaks just enough AMQP 0-9-1 to confirm, or not to confirm, messages. */
export async function startFakeRabbitMq(confirms: Confirms) {
  const sockets: Socket[] = [];
  let messages = 0;
  const server = createServer((socket) => {
    sockets.push(socket);
    serve(socket, () => {
      messages += 1;
      return confirms(sockets.indexOf(socket) + 1);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `amqp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Connections that were made so far. */
    connections: () => sockets.length,
    /** Messages that were published so far, on all connections. */
    messages: () => messages,
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
export async function startRefusingRabbitMq(refusal: HandshakeRefusal) {
  const server = createServer((socket) => serve(socket, () => false, refusal));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `amqp://127.0.0.1:${port}`, stop: () => void server.close() };
}

function serve(socket: Socket, confirms: () => boolean | "nack", refusal?: HandshakeRefusal): void {
  const tags = new Map<number, number>();
  let received = empty;
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    // The 8 bytes of the protocol header come first, and once.
    if (received.toString("latin1", 0, 4) === "AMQP") {
      received = received.subarray(8);
      const version = Buffer.from([0, 9, 0, 0, 0, 0]);
      socket.write(methodFrame(0, 10, 10, Buffer.concat([version, long("PLAIN"), long("en_US")])));
    }
    while (received.length >= 7) {
      const end = 8 + received.readUInt32BE(3);
      if (received.length < end) return;
      const frame = received.subarray(0, end);
      received = received.subarray(end);
      if (frame[0] === 1) answer(frame);
    }
  });

  function answer(frame: Buffer): void {
    const channel = frame.readUInt16BE(1);
    const name = `${frame.readUInt16BE(7)}.${frame.readUInt16BE(9)}`;
    if (name === refusal?.at) return refuse(refusal);
    const known = answers[name];
    if (known) socket.write(methodFrame(channel, ...known));
    if (name !== publish) return;
    const tag = (tags.get(channel) ?? 0) + 1;
    tags.set(channel, tag);
    const args = Buffer.alloc(9);
    args.writeBigUInt64BE(BigInt(tag));
    const verdict = confirms();
    if (verdict) socket.write(methodFrame(channel, 60, verdict === "nack" ? 120 : 80, args));
  }

  function refuse({ replyCode, replyText = "" }: HandshakeRefusal): void {
    if (replyCode === undefined) return void socket.end();
    const args = Buffer.alloc(3);
    args.writeUInt16BE(replyCode);
    args.writeUInt8(replyText.length, 2);
    const close = Buffer.concat([args, Buffer.from(replyText), Buffer.alloc(4)]);
    socket.write(methodFrame(0, 10, 50, close));
  }
}

function methodFrame(channel: number, classId: number, method: number, args: Buffer): Buffer {
  const head = Buffer.alloc(11);
  head.writeUInt8(1);
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(4 + args.length, 3);
  head.writeUInt16BE(classId, 7);
  head.writeUInt16BE(method, 9);
  return Buffer.concat([head, args, Buffer.from([0xce])]);
}

function long(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
}
