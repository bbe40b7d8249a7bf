/**
 * Finds out how far the place of a partition or stream may move while messages are handled out of order: over the
 * contiguous handled ones at the start only.
 *
 *     handled  handled | open  handled  handled  open
 *                      ^ last
 */
export class HandledPrefix {
  /** Offsets in their order, with whether each is handled; those before `#head` are done with. */
  #entries: { readonly offset: bigint; isHandled: boolean }[] = [];
  readonly #byOffset = new Map<bigint, { isHandled: boolean }>();
  #head = 0;
  #last: bigint | undefined;

  /** Adds the next message; offsets only grow. One that is delivered twice counts once. */
  add(offset: bigint): void {
    if (this.#byOffset.has(offset) || (this.#last !== undefined && offset <= this.#last)) return;
    const entry = { offset, isHandled: false };
    this.#entries.push(entry);
    this.#byOffset.set(offset, entry);
  }

  /** Marks a message that was added as handled. */
  handled(offset: bigint): void {
    const entry = this.#byOffset.get(offset);
    if (entry === undefined) return;
    entry.isHandled = true;
    this.#advance();
  }

  /** Offset of the last message of the prefix; `undefined` while it is empty. */
  get last(): bigint | undefined {
    return this.#last;
  }

  /** Messages after the prefix, handled or not. */
  get outstanding(): number {
    return this.#entries.length - this.#head;
  }

  #advance(): void {
    let entry = this.#entries[this.#head];
    while (entry?.isHandled) {
      this.#last = entry.offset;
      this.#byOffset.delete(entry.offset);
      this.#head += 1;
      entry = this.#entries[this.#head];
    }
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}
