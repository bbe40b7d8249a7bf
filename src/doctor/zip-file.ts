import { crc32, deflateRawSync } from "node:zlib";

/** One file of an archive. */
export interface ZipEntry {
  /** With slashes, as `logs/service-000001.log`. */
  readonly name: string;
  readonly content: string;
}

const localMagic = 0x04034b50;
const centralMagic = 0x02014b50;
const endMagic = 0x06054b50;
/** 2.0: the version that first had Deflate. */
const versionNeeded = 20;
/** Names are UTF-8. */
const utf8Flag = 0x0800;
const deflated = 8;

/**
 * A ZIP archive (PKWARE's APPNOTE, 4.3) of a few files, all of it in memory: at most 65,535 of them and 4 GiB. Node.js
 * compresses and sums; this adds the headers, so that a CA needs no other package for it.
 */
export function zipOf(entries: readonly ZipEntry[], time: Date): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of entries) {
    const plain = Buffer.from(content);
    const data = deflateRawSync(plain);
    const path = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(versionNeeded, 0);
    common.writeUInt16LE(utf8Flag, 2);
    common.writeUInt16LE(deflated, 4);
    common.writeUInt32LE(dosTime(time), 6);
    common.writeUInt32LE(crc32(plain), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(plain.length, 18);
    common.writeUInt16LE(path.length, 22);
    parts.push(number(localMagic), common, path, data);
    // Made by version 2.0; then the common fields; comment, disk and attributes are 0; the offset.
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    const madeBy = Buffer.from([versionNeeded, 0]);
    directory.push(number(centralMagic), madeBy, common, rest, path);
    offset += 30 + path.length + data.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, ...directory, number(endMagic), end]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Date and time as MS-DOS counts them: from 1980, every two seconds. In UTC, which says nothing of a place. */
function dosTime(time: Date): number {
  const date =
    ((time.getUTCFullYear() - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate();
  const clock =
    (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >>> 1);
  return ((date << 16) | clock) >>> 0;
}
