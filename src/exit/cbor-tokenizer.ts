import { isUtf8 } from "node:buffer";
import { type DecodeOptions, Token, Type } from "cborg";

const maxNesting = 8;
const maxItems = 65_536;

/** Smallest arguments that need a head with 1, 2, 4 and 8 further bytes. */
const leastArguments = [24, 0x100, 0x1_0000, 0x1_0000_0000] as const;

/**
 * Reads a record for cborg, by the rules of docs/reference/record-format.md that cborg alone does
 * not keep: bounded nesting and item count, no floating-point numbers and booleans, text that is
 * valid UTF-8 and stays as it is (cborg's own drops a byte order mark and mends bad bytes), and byte
 * strings as views instead of copies.
 */
export class RecordTokenizer implements NonNullable<DecodeOptions["tokenizer"]> {
  readonly #bytes: Buffer;
  /** Items still to come in each open container. */
  readonly #open: number[] = [];
  #position = 0;
  #items = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  pos(): number {
    return this.#position;
  }

  done(): boolean {
    return this.#position >= this.#bytes.length;
  }

  next(): Token {
    if (++this.#items > maxItems) throw new Error(`more than ${maxItems} items`);
    const head = this.#bytes[this.#position++] ?? 0xff;
    this.#countDown();
    if (head === 0xf6) return new Token(Type.null, null);
    const argument = this.#argument(head & 0x1f);
    const major = head >>> 5;
    if (major === 0) return new Token(Type.uint, argument);
    if (major === 1) return new Token(Type.negint, negative(argument));
    if (typeof argument === "bigint") throw new Error("length out of range");
    switch (major) {
      case 2:
        return new Token(Type.bytes, this.#string(argument));
      case 3:
        return new Token(Type.string, this.#text(argument));
      case 4:
        return this.#container(Type.array, argument, argument);
      case 5:
        return this.#container(Type.map, argument, 2 * argument);
      case 6:
        return this.#container(Type.tag, argument, 1);
      default:
        throw new Error("floating-point number, boolean or simple value");
    }
  }

  /** The argument of a head, which must be in its shortest form. */
  #argument(info: number): number | bigint {
    if (info < 24) return info;
    if (info > 27) throw new Error("indefinite length");
    const size = 1 << (info - 24);
    const start = this.#skip(size);
    const value =
      size === 8 ? this.#bytes.readBigUInt64BE(start) : this.#bytes.readUIntBE(start, size);
    if (value < (leastArguments[info - 24] ?? 0))
      throw new Error("head is not in its shortest form");
    return typeof value === "bigint" && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  }

  #string(length: number): Buffer {
    return this.#bytes.subarray(this.#skip(length), this.#position);
  }

  #text(length: number): string {
    const start = this.#skip(length);
    const text = this.#bytes.toString("utf8", start, this.#position);
    if (text.includes("\ufffd") && !isUtf8(this.#bytes.subarray(start, this.#position))) {
      throw new Error("text is not valid UTF-8");
    }
    return text;
  }

  /** Moves over the content of a string; returns where it starts. */
  #skip(length: number): number {
    const start = this.#position;
    this.#position = start + length;
    if (this.#position > this.#bytes.length) throw new Error("record ends too early");
    return start;
  }

  #container(type: Type, argument: number, members: number): Token {
    if (this.#open.length >= maxNesting) throw new Error(`nested deeper than ${maxNesting}`);
    if (members > 0) this.#open.push(members);
    return new Token(type, argument);
  }

  /** One item of the innermost open container is here now. */
  #countDown(): void {
    const open = this.#open;
    while (open.at(-1) === 0) open.pop();
    if (open.length > 0) open[open.length - 1] = (open.at(-1) ?? 0) - 1;
  }
}

function negative(argument: number | bigint): number | bigint {
  return typeof argument === "bigint" ? -1n - argument : -1 - argument;
}
