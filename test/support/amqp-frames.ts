// The frames of AMQP 0-9-1 that a fake broker sends.

/** A frame with a method; `args` are its encoded arguments. */
export function methodFrame(
  channel: number,
  classId: number,
  method: number,
  args: Buffer,
): Buffer {
  const payload = Buffer.alloc(4 + args.length);
  payload.writeUInt16BE(classId);
  payload.writeUInt16BE(method, 2);
  args.copy(payload, 4);
  return frame(1, channel, payload);
}

/** What one message is made of besides its body. */
export interface Delivery {
  readonly channel: number;
  readonly deliveryTag: number;
  /** Value of the header x-stream-offset. Default: the message has no headers. */
  readonly offset: number | undefined;
}

/** Tag of every consumer; it is unique on its channel. */
export const consumerTag = "c";

/** basic.deliver with the header and the body of an event. */
export function deliverFrames(delivery: Delivery, body: Buffer): Buffer {
  const { channel, deliveryTag, offset } = delivery;
  const redelivered = Buffer.from([0]);
  const names = [shortString(""), shortString("key")];
  const args = [shortString(consumerTag), uint64(deliveryTag), redelivered, ...names];
  const method = methodFrame(channel, 60, 60, Buffer.concat(args));
  const table =
    offset === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([shortString("x-stream-offset"), Buffer.from("l"), uint64(offset)]);
  // Class 60, weight 0, the size, then the flags of content-type and headers.
  const head = [Buffer.from([0, 60, 0, 0]), uint64(body.length), Buffer.from([0xa0, 0])];
  const properties = [shortString("application/cloudevents+json"), uint32(table.length), table];
  const header = frame(2, channel, Buffer.concat([...head, ...properties]));
  return Buffer.concat([method, header, frame(3, channel, body)]);
}

function frame(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7);
  head.writeUInt8(type);
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

export function shortString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

export function longString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint32(bytes.length), bytes]);
}
