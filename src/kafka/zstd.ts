import type { Buffer } from "node:buffer";
import { promisify } from "node:util";
import zlib from "node:zlib";

type Convert = (bytes: Buffer) => Promise<Buffer>;

/** What Node.js 22.15 and later have in `node:zlib`. */
interface ZstdFunctions {
  readonly zstdCompress?: (
    bytes: Buffer,
    done: (error: Error | null, result: Buffer) => void,
  ) => void;
  readonly zstdDecompress?: ZstdFunctions["zstdCompress"];
}

/** The types of older versions do not know them. */
const ofNode: ZstdFunctions = zlib as object;

/** The codecs of kafkajs, by their numbers in the protocol. */
type Codecs = Record<number, () => unknown>;

const zstdType = 4;

/** A codec as kafkajs uses it. */
interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress: Convert;
}

/** What keeps zstd from being used; `undefined` if nothing does. */
export function zstdProblem({ zstdCompress }: ZstdFunctions = ofNode): string | undefined {
  if (zstdCompress !== undefined) return undefined;
  return `zstd needs Node.js 22.15 or later, and this is ${process.versions.node}`;
}

/** Gives kafkajs zstd if this Node.js has it, and nobody else has given it a codec for zstd. */
export function registerZstd(codecs: Codecs, functions: ZstdFunctions = ofNode): void {
  const { zstdCompress, zstdDecompress } = functions;
  if (zstdCompress === undefined || zstdDecompress === undefined || isThere(codecs)) return;
  const compress: Convert = promisify(zstdCompress);
  const codec: Codec = {
    compress: ({ buffer }) => compress(buffer),
    decompress: promisify(zstdDecompress),
  };
  codecs[zstdType] = () => codec;
}

/** As shipped, the codec of kafkajs throws when it is asked for. */
function isThere(codecs: Codecs): boolean {
  try {
    return Boolean(codecs[zstdType]?.());
  } catch {
    return false;
  }
}
