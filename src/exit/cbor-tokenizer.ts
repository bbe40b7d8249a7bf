import { isUtf8 } from "node:buffer";
import { type DecodeOptions, Token, Tokenizer, Type } from "cborg";

const maxNesting = 8;
const maxItems = 65_536;

/**
 * Reads the heads of a record for cborg and enforces what cborg does not: bounded nesting and item
 * count, no floating-point numbers, no booleans, text that is valid UTF-8 and kept as it is (cborg
 * drops a byte order mark and mends bad bytes), and byte strings as views instead of copies.
 */
export class RecordTokenizer extends Tokenizer {
  readonly #bytes: Buffer;
  /** Items still to come in each open container. */
  readonly #open: number[] = [];
  #items = 0;

  constructor(bytes: Buffer, options: DecodeOptions) {
    super(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), options);
    this.#bytes = bytes;
  }

  override next(): Token {
    if (++this.#items > maxItems) throw new Error(`more than ${maxItems} items`);
    const major = (this.#bytes[this._pos] ?? 0xff) >>> 5;
    const token = major === 2 || major === 3 ? this.#string(major) : super.next();
    this.#count(token);
    return token;
  }

  #string(major: 2 | 3): Token {
    const start = this._pos + this.#headLength();
    const end = start + this.#stringLength();
    if (end > this.#bytes.length) throw new Error("string runs over the end");
    this._pos = end;
    if (major === 2) return new Token(Type.bytes, this.#bytes.subarray(start, end));
    const text = this.#bytes.toString("utf8", start, end);
    if (text.includes("\ufffd") && !isUtf8(this.#bytes.subarray(start, end))) {
      throw new Error("text is not valid UTF-8");
    }
    return new Token(Type.string, text);
  }

  #headLength(): number {
    const size = (this.#bytes[this._pos] ?? 0) & 31;
    if (size < 24) return 1;
    // A record has at most 16 MiB, so no string needs a length of 8 bytes.
    if (size > 26) throw new Error("length of a string is indefinite or out of range");
    return size === 24 ? 2 : size === 25 ? 3 : 5;
  }

  #stringLength(): number {
    const head = this.#headLength();
    const at = this._pos + 1;
    if (at + head - 1 > this.#bytes.length) throw new Error("record ends inside a head");
    if (head === 1) return (this.#bytes[this._pos] ?? 0) & 31;
    const length = this.#bytes.readUIntBE(at, head - 1);
    const least = head === 2 ? 24 : head === 3 ? 0x100 : 0x1_0000;
    if (length < least) throw new Error("length of a string is not in its shortest form");
    return length;
  }

  #count(token: Token): void {
    const { type } = token;
    if (type.major === 7 && type !== Type.null) throw new Error(`${type.name} is not allowed`);
    const open = this.#open;
    if (open.length > 0) open[open.length - 1] = (open.at(-1) ?? 0) - 1;
    const members =
      type === Type.array
        ? token.value
        : type === Type.map
          ? 2 * token.value
          : type === Type.tag
            ? 1
            : 0;
    if (members > 0) {
      if (open.length >= maxNesting) throw new Error(`nested deeper than ${maxNesting}`);
      open.push(members);
    }
    while (open.at(-1) === 0) open.pop();
  }
}
