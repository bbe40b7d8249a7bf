import { once } from "node:events";
import { connect } from "node:net";

/** A request that kafkajs has no call for, by the protocol of Kafka; Kafka's own commands take seconds to start. */
export interface KafkaRequest {
  /** Number of the API. */
  readonly key: number;
  readonly version: number;
  /** What comes after the header. */
  readonly body: readonly Buffer[];
}

const headerBytes = 8;

/** Sends one request to a broker. Returns its answer after the header. Rejects after 10 s without an answer. */
export async function askKafka(
  bootstrapServer: string,
  { key, version, body }: KafkaRequest,
): Promise<Buffer> {
  const [host, port] = bootstrapServer.split(":");
  const socket = connect({ host: host ?? "", port: Number(port) });
  socket.setTimeout(10_000, () => {
    socket.destroy(new Error(`no answer from ${bootstrapServer}`));
  });
  try {
    await once(socket, "connect");
    const correlationId = int32(1);
    const header = [int16(key), int16(version), correlationId, string("certwire-test")];
    const request = Buffer.concat([...header, ...body]);
    socket.write(Buffer.concat([int32(request.length), request]));
    let answer = Buffer.alloc(0);
    while (answer.length < headerBytes || answer.length < 4 + answer.readInt32BE(0)) {
      const [bytes] = (await once(socket, "data")) as [Buffer];
      answer = Buffer.concat([answer, bytes]);
    }
    return answer.subarray(headerBytes);
  } finally {
    socket.destroy();
  }
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

export function boolean(value: boolean): Buffer {
  return Buffer.of(value ? 1 : 0);
}

export function string(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}
