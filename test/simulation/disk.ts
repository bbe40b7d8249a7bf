import { constants } from "node:fs";
import { dirname } from "node:path";
import type { NativeFileLock } from "../../src/native/addon.ts";
import { type Inode, Names, SimulatedStats } from "./inode.ts";
import type { Random } from "./random.ts";
import type { Scheduler, SimulatedProcess } from "./scheduler.ts";

/** What is wrong with the disk. */
export interface DiskFaults {
  /** Share of the writes and flushes that fail, with this code. */
  failing?: { readonly share: number; readonly code: "EIO" | "ENOSPC" | "EACCES" };
  /** Longest time of an operation, in ms. Default 2. */
  slowestMs?: number;
  /** Nothing ends before the disk is back. */
  hangs?: boolean;
}

/** Names of files as Linux or as Windows sees them while they are open. */
export type RenameRules = "linux" | "windows";

const accessMask = constants.O_WRONLY | constants.O_RDWR;

/**
 * The disk of the simulated machine: a flat table of names. What is written is there for other processes at once, and
 * after a power cut only what was flushed is there for certain. An operation happens at its end, or not at all when its
 * process is killed before; a write may then have happened in part.
 */
export class Disk {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #names = new Names();
  #durableNames = new Map<string, Inode>();
  readonly #locks = new Map<Inode, SimulatedProcess | undefined>();
  readonly #open = new Map<SimulatedFile, SimulatedProcess | undefined>();
  /** Writes that have begun and not ended. */
  readonly #writing = new Map<() => void, SimulatedProcess | undefined>();
  readonly #hanging: (() => void)[] = [];
  #inodes = 1n;
  faults: DiskFaults = {};
  /** Writes of which only a part may have happened. */
  cutWrites = 0;
  /** The time of day, in ms since 1970. */
  timeOfDay = (): number => 0;
  rules: RenameRules = "linux";
  /** Size of the volume: what the simulation counts is the journal. */
  volumeBytes = 100 * 2 ** 30;

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Files that a process has open. */
  openFiles(process: SimulatedProcess): number {
    return [...this.#open.values()].filter((owner) => owner === process).length;
  }

  /** Content of a file as other processes see it; `undefined` if there is none. */
  content(path: string): Buffer | undefined {
    return this.#names.get(path)?.data;
  }

  /** Content of a file after a power cut that takes all that was not flushed. */
  durableContent(path: string): Buffer | undefined {
    return this.#durableNames.get(path)?.durable;
  }

  /** Names below a directory, with their paths. */
  paths(directory: string): string[] {
    return this.#names.below(directory);
  }

  /** Makes a directory that is there before anything else. */
  prepare(path: string): void {
    for (let each = path; each !== dirname(each); each = dirname(each)) {
      if (!this.#names.has(each)) this.#name(each, this.#inode(true), true);
    }
  }

  /** Makes a file that only has a size. */
  count(path: string, bytes: number): void {
    this.#name(path, this.#inode(false, bytes), true);
  }

  /** Bytes that nothing uses. */
  freeBytes(): number {
    let used = 0;
    for (const { countedBytes } of this.#names.values()) used += countedBytes;
    return Math.max(0, this.volumeBytes - used);
  }

  /** Locks a file for a program that is not simulated; returns what releases it. */
  hold(path: string): () => void {
    const inode = this.#names.get(path) ?? this.#inode(false);
    this.#name(path, inode, true);
    this.#locks.set(inode, undefined);
    return () => void this.#locks.delete(inode);
  }

  /** Takes away a file. */
  remove(path: string): void {
    this.#names.delete(path);
    this.#durableNames.delete(path);
  }

  /** Ends what hangs. */
  heal(): void {
    this.faults = {};
    for (const resume of this.#hanging.splice(0)) resume();
  }

  /** A process was killed: its files and locks are closed, and of its writes any part may have happened. */
  killed(process: SimulatedProcess): void {
    for (const [apply, owner] of this.#writing) {
      if (owner !== process) continue;
      this.#writing.delete(apply);
      if (this.#random.chance(0.5)) apply();
    }
    for (const [file, owner] of this.#open) if (owner === process) this.#open.delete(file);
    for (const [inode, owner] of this.#locks) {
      if (owner === process) this.#locks.delete(inode);
    }
  }

  /** The machine loses power: names and bytes that were not flushed may be lost. All processes are killed before. */
  cutPower(): void {
    const paths = new Set([...this.#names.keys(), ...this.#durableNames.keys()]);
    for (const path of paths) {
      if (this.#names.get(path) === this.#durableNames.get(path) || this.#random.chance(0.5))
        continue;
      const durable = this.#durableNames.get(path);
      if (durable === undefined) this.#names.delete(path);
      else this.#names.set(path, durable);
    }
    for (const inode of new Set(this.#names.values())) this.#loseUnflushed(inode);
    this.#durableNames = new Map(this.#names);
  }

  async open(path: string, flags: string | number): Promise<SimulatedFile> {
    return this.io("open", () => {
      const bits = typeof flags === "number" ? flags : textFlags(flags);
      let inode = this.#names.get(path);
      if (inode === undefined) {
        if ((bits & constants.O_CREAT) === 0) throw systemError("ENOENT", path);
        if (this.#names.get(dirname(path))?.isDirectory !== true) throw systemError("ENOENT", path);
        inode = this.#inode(false);
        this.#names.set(path, inode);
      } else if ((bits & constants.O_EXCL) !== 0) throw systemError("EEXIST", path);
      if (inode.isDirectory && (bits & accessMask) !== 0) throw systemError("EISDIR", path);
      const file = new SimulatedFile(this, inode, path, (bits & constants.O_APPEND) !== 0);
      this.#open.set(file, this.#scheduler.process);
      return file;
    });
  }

  async stat(path: string, isBig: boolean): Promise<unknown> {
    return this.io("stat", () => new SimulatedStats(this.#find(path), isBig));
  }

  /** Makes the directories above, too, as with `recursive`. */
  async mkdir(path: string): Promise<void> {
    return this.io("write", () => {
      for (let each = path; each !== dirname(each); each = dirname(each)) {
        if (!this.#names.has(each)) this.#name(each, this.#inode(true), false);
      }
    });
  }

  async readdir(path: string): Promise<string[]> {
    return this.io("read", () => {
      this.#find(path);
      const start = `${path}/`;
      return [...this.#names.keys()]
        .filter((each) => each.startsWith(start) && !each.includes("/", start.length))
        .map((each) => each.slice(start.length));
    });
  }

  async rename(from: string, to: string): Promise<void> {
    return this.io("write", () => {
      const inode = this.#find(from);
      const target = this.#names.get(to);
      const isOpen = (each: Inode): boolean => [...this.#open.keys()].some((f) => f.is(each));
      if (this.rules === "windows" && (isOpen(inode) || (target && isOpen(target)))) {
        throw systemError("EPERM", to);
      }
      this.#names.delete(from);
      this.#names.set(to, inode);
    });
  }

  async unlink(path: string): Promise<void> {
    return this.io("write", () => {
      this.#find(path);
      this.#names.delete(path);
    });
  }

  async statfs(): Promise<unknown> {
    return this.io("stat", () => ({ bavail: Math.floor(this.freeBytes() / 4096), bsize: 4096 }));
  }

  async lock(path: string): Promise<NativeFileLock | null> {
    return this.io("stat", () => {
      const inode = this.#find(path);
      if (this.#locks.has(inode)) return null;
      this.#locks.set(inode, this.#scheduler.process);
      return { release: () => void this.#locks.delete(inode) };
    });
  }

  /** What `/proc/locks` shows. */
  locks(): string {
    return [...this.#locks.keys()]
      .map(({ number }, at) => `${at + 1}: FLOCK  ADVISORY  WRITE 1 08:01:${number} 0 EOF\n`)
      .join("");
  }

  /** Makes the names in a directory durable. */
  syncNames(directory: string): void {
    for (const path of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      if (dirname(path) !== directory) continue;
      const inode = this.#names.get(path);
      if (inode === undefined) this.#durableNames.delete(path);
      else this.#durableNames.set(path, inode);
    }
  }

  closed(file: SimulatedFile): void {
    this.#open.delete(file);
  }

  /** Draws how much of a write happens: all of it, as a rule. */
  part(length: number): number {
    return this.faults.failing && this.#random.chance(0.3) ? this.anyPart(length) : length;
  }

  /** Draws how much of a write happens that is cut off. */
  anyPart(length: number): number {
    this.cutWrites += 1;
    return this.#random.below(length + 1);
  }

  /** Runs an operation at its end. `partly`: what may happen of it all the same when its process is killed. */
  io<T>(
    kind: "open" | "read" | "stat" | "write" | "flush",
    operation: () => T,
    partly?: () => void,
  ): Promise<T> {
    const { process } = this.#scheduler;
    return new Promise<T>((resolve, reject) => {
      if (this.#isCached(kind)) {
        resolve(operation());
        return;
      }
      const end = (): void => {
        if (partly) this.#writing.delete(partly);
        try {
          if (kind === "write" || kind === "flush") this.#failAtRandom();
          resolve(operation());
        } catch (error) {
          reject(error);
        }
      };
      const ms = this.#random.fraction() * (this.faults.slowestMs ?? 2);
      if (partly) this.#writing.set(partly, process);
      const begin = (): void => void this.#scheduler.after(ms, end, process);
      if (this.faults.hangs === true) this.#hanging.push(begin);
      else begin();
    });
  }

  /** What changes nothing comes from the memory of the machine as a rule, and takes no time. */
  #isCached(kind: "open" | "read" | "stat" | "write" | "flush"): boolean {
    const { slowestMs, hangs } = this.faults;
    if (kind === "write" || kind === "flush" || slowestMs !== undefined || hangs) return false;
    return this.#random.chance(0.75);
  }

  #failAtRandom(): void {
    const { failing } = this.faults;
    if (failing && this.#random.chance(failing.share)) throw systemError(failing.code, "the disk");
  }

  #loseUnflushed(inode: Inode): void {
    const { data, durable } = inode;
    const isAppended =
      data.length > durable.length && data.subarray(0, durable.length).equals(durable);
    if (isAppended) {
      inode.data = data.subarray(0, durable.length + this.anyPart(data.length - durable.length));
    } else if (!data.equals(durable) && this.#random.chance(0.5)) {
      inode.data = Buffer.from(durable);
      // Of what was written over, the first bytes may be new.
      if (data.length === durable.length) data.copy(inode.data, 0, 0, this.#tornAt(data, durable));
    }
    inode.durable = inode.data;
  }

  /** Draws where a write ended that a power cut has cut off, from the bytes that differ. */
  #tornAt(data: Buffer, durable: Buffer): number {
    const differs = (byte: number, at: number): boolean => byte !== durable[at];
    const [from, to] = [data.findIndex(differs), data.findLastIndex(differs)];
    return from + this.anyPart(to - from + 1);
  }

  #find(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw systemError("ENOENT", path);
    return inode;
  }

  #name(path: string, inode: Inode, isDurable: boolean): void {
    this.#names.set(path, inode);
    if (isDurable) this.#durableNames.set(path, inode);
  }

  #inode(isDirectory: boolean, countedBytes = 0): Inode {
    const empty = Buffer.alloc(0);
    const number = this.#inodes++;
    const writtenMs = this.timeOfDay();
    return { number, isDirectory, data: empty, durable: empty, countedBytes, writtenMs };
  }
}

/** An open file, with what the service uses of Node's `FileHandle`. */
class SimulatedFile {
  readonly #disk: Disk;
  readonly #inode: Inode;
  readonly #path: string;
  readonly #appends: boolean;
  #at = 0;

  constructor(disk: Disk, inode: Inode, path: string, appends: boolean) {
    this.#disk = disk;
    this.#inode = inode;
    this.#path = path;
    this.#appends = appends;
  }

  is(inode: Inode): boolean {
    return this.#inode === inode;
  }

  async read(buffer: Buffer, offset: number, length: number | undefined, position?: number) {
    return this.#disk.io("read", () => {
      const start = position ?? this.#at;
      const end = start + (length ?? buffer.length - offset);
      const bytesRead = this.#inode.data.copy(buffer, offset, start, end);
      if (position === undefined) this.#at += bytesRead;
      return { buffer, bytesRead };
    });
  }

  async readFile(): Promise<string> {
    return this.#disk.io("read", () => this.#inode.data.toString("utf8"));
  }

  async write(data: Buffer, offset: number, length: number, position: number) {
    const bytes = Buffer.from(data.subarray(offset, offset + length));
    const partly = (): void => this.#put(bytes.subarray(0, this.#disk.anyPart(length)), position);
    return this.#disk.io(
      "write",
      () => {
        const bytesWritten = this.#disk.part(length);
        this.#put(bytes.subarray(0, bytesWritten), position);
        return { bytesWritten };
      },
      partly,
    );
  }

  async appendFile(data: Buffer | string): Promise<void> {
    const bytes = Buffer.from(data);
    const append = (length: number): void =>
      this.#put(bytes.subarray(0, length), this.#appends ? this.#inode.data.length : this.#at);
    return this.#disk.io(
      "write",
      () => {
        const length = this.#disk.part(bytes.length);
        append(length);
        // Node.js writes the rest, which a full disk refuses.
        if (length < bytes.length) throw systemError("ENOSPC", this.#path);
      },
      () => append(this.#disk.anyPart(bytes.length)),
    );
  }

  async stat(options?: { readonly bigint?: boolean }): Promise<unknown> {
    return this.#disk.io("stat", () => new SimulatedStats(this.#inode, options?.bigint === true));
  }

  async datasync(): Promise<void> {
    return this.#disk.io("flush", () => {
      this.#inode.durable = this.#inode.data;
    });
  }

  async sync(): Promise<void> {
    await this.datasync();
    if (this.#inode.isDirectory) this.#disk.syncNames(this.#path);
  }

  async chown(): Promise<void> {
    return this.#disk.io("stat", () => undefined);
  }

  async close(): Promise<void> {
    return this.#disk.io("stat", () => this.#disk.closed(this));
  }

  #put(bytes: Buffer, at: number): void {
    this.#inode.data = written(this.#inode.data, bytes, at);
    this.#inode.writtenMs = this.#disk.timeOfDay();
    this.#at = at + bytes.length;
  }
}

/** The content that each memory holds from its start, by its end: what is appended goes after it, without a copy of the rest. */
const ends = new WeakMap<ArrayBufferLike, number>();

/** A file's content after a write. The content before stays what it was, for those who have it. */
function written(data: Buffer, bytes: Buffer, at: number): Buffer {
  const length = Math.max(data.length, at + bytes.length);
  const isAppended = at === data.length && ends.get(data.buffer) === data.length;
  if (isAppended && length <= data.buffer.byteLength) {
    const grown = Buffer.from(data.buffer, 0, length);
    bytes.copy(grown, at);
    ends.set(data.buffer, length);
    return grown;
  }
  // A file that grew once grows again.
  const memory = Buffer.from(new ArrayBuffer(at === data.length && at > 0 ? 2 * length : length));
  data.copy(memory);
  bytes.copy(memory, at);
  ends.set(memory.buffer, length);
  return memory.subarray(0, length);
}

function textFlags(flags: string): number {
  if (flags === "r") return constants.O_RDONLY;
  if (flags === "wx") return constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  if (flags === "wx+") return constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
  throw new Error(`the simulated disk does not know the flags "${flags}"`);
}

/** An error as Node.js makes it of one of the operating system. */
export function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
