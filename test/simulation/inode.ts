/** A file or a directory. */
export interface Inode {
  readonly number: bigint;
  readonly isDirectory: boolean;
  data: Buffer;
  /** What a power cut leaves for certain. */
  durable: Buffer;
  /** Bytes of a file that the disk only counts, such as a segment of the journal. */
  readonly countedBytes: number;
  /** When it was last written to, by the time of day in ms since 1970. */
  writtenMs: number;
}

/** Names of files and directories. */
export class Names extends Map<string, Inode> {
  /** In their order; `undefined` if there are others since. */
  #sorted: string[] | undefined;

  override set(path: string, inode: Inode): this {
    if (!this.has(path)) this.#sorted = undefined;
    return super.set(path, inode);
  }

  override delete(path: string): boolean {
    this.#sorted = undefined;
    return super.delete(path);
  }

  /** Names below a directory, with their paths, in their order. */
  below(directory: string): string[] {
    this.#sorted ??= [...this.keys()].toSorted();
    const start = `${directory}/`;
    const from = this.#sorted.findIndex((path) => path.startsWith(start));
    if (from === -1) return [];
    const end = this.#sorted.findIndex((path, at) => at > from && !path.startsWith(start));
    return this.#sorted.slice(from, end === -1 ? undefined : end);
  }
}

/** What the service uses of Node's `Stats`, or `BigIntStats`. */
export class SimulatedStats {
  readonly ino: number | bigint;
  readonly dev: number | bigint;
  readonly size: number | bigint;
  readonly nlink: number | bigint;
  readonly uid = 0;
  readonly gid = 0;
  readonly mtimeMs: number;
  readonly #isDirectory: boolean;

  constructor(inode: Inode, isBig: boolean) {
    const { number, isDirectory, data, countedBytes, writtenMs } = inode;
    const size = data.length + countedBytes;
    this.ino = isBig ? number : Number(number);
    this.dev = isBig ? 1n : 1;
    this.size = isBig ? BigInt(size) : size;
    this.nlink = isBig ? 1n : 1;
    this.mtimeMs = writtenMs;
    this.#isDirectory = isDirectory;
  }

  get mtime(): Date {
    return new Date(this.mtimeMs);
  }

  isFile(): boolean {
    return !this.#isDirectory;
  }

  isDirectory(): boolean {
    return this.#isDirectory;
  }

  isSymbolicLink(): boolean {
    return false;
  }
}
