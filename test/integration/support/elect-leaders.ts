import { once } from "node:events";
import { connect } from "node:net";

const electLeadersKey = 43;

/**
 * Asks a broker for the preferred election of one partition (ElectLeaders, version 0). kafkajs has no
 * call for it, and Kafka's own command takes seconds to start. The answer is not checked: the caller
 * waits until the metadata shows the leader.
 */
export async function electPreferredLeader(
  bootstrapServer: string,
  topic: string,
  partition: number,
): Promise<void> {
  const [host, port] = bootstrapServer.split(":");
  const socket = connect({ host: host ?? "", port: Number(port) });
  socket.setTimeout(10_000, () => {
    socket.destroy(new Error(`no answer from ${bootstrapServer}`));
  });
  try {
    await once(socket, "connect");
    socket.write(encodeRequest(topic, partition));
    await once(socket, "data");
  } finally {
    socket.destroy();
  }
}

function encodeRequest(topic: string, partition: number): Buffer {
  const body = Buffer.concat([
    int16(electLeadersKey),
    int16(0), // version
    int32(1), // correlation id
    string("certwire-test"),
    int32(1), // one topic
    string(topic),
    int32(1), // one partition
    int32(partition),
    int32(5_000), // time limit in ms
  ]);
  return Buffer.concat([int32(body.length), body]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function string(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}
