import { createHash, hash } from "node:crypto";
import type { Frame } from "./frame.ts";

/** Bytes of a chain value. */
const valueBytes = 32;

/** The chain value before the first record of an epoch, in hex: SHA-256 of epoch id and number. */
export function chainStart(epochId: string, epochNumber: number): string {
  const bytes = Buffer.alloc(20);
  bytes.write(epochId, "hex");
  bytes.writeUInt32LE(epochNumber, 16);
  return hash("sha256", bytes);
}

/** The chain value of a record, in hex: SHA-256 of the value before it, the fields of its header and its payload. */
export function chainLink(previous: string, frame: Omit<Frame, "index" | "epochId">): string {
  const head = Buffer.alloc(valueBytes + 28);
  head.write(previous, "hex");
  head.writeUInt32LE(frame.payload.length, valueBytes);
  head.writeUInt32LE(frame.epochNumber, valueBytes + 4);
  head.writeBigUInt64LE(frame.sequence, valueBytes + 8);
  head.writeBigUInt64LE(frame.time, valueBytes + 16);
  head.writeUInt16LE(frame.type, valueBytes + 24);
  head.writeUInt16LE(frame.schema, valueBytes + 26);
  return createHash("sha256").update(head).update(frame.payload).digest("hex");
}
