const seed = 0x9747b28c | 0;
const multiplier = 0x5bd1e995;

/** Murmur2 of Kafka's Java clients, as a signed 32-bit number. */
export function murmur2(data: Uint8Array): number {
  const wholeWords = data.length & ~3;
  let hash = seed ^ data.length;
  for (let at = 0; at < wholeWords; at += 4) {
    const word =
      byte(data, at) |
      (byte(data, at + 1) << 8) |
      (byte(data, at + 2) << 16) |
      (byte(data, at + 3) << 24);
    const mixed = Math.imul(word, multiplier);
    hash = Math.imul(hash, multiplier) ^ Math.imul(mixed ^ (mixed >>> 24), multiplier);
  }
  const tail = data.length - wholeWords;
  if (tail > 2) hash ^= byte(data, wholeWords + 2) << 16;
  if (tail > 1) hash ^= byte(data, wholeWords + 1) << 8;
  if (tail > 0) hash = Math.imul(hash ^ byte(data, wholeWords), multiplier);
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}

/** Partition of a key, the same as that of Kafka's Java clients. */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key)) & 0x7fff_ffff) % partitions;
}

function byte(data: Uint8Array, at: number): number {
  return data[at] ?? 0;
}
