/** Takes the first frame off what was read; `undefined` if that is not whole yet. */
type Cut = (bytes: Buffer) => Buffer | undefined;

/** Makes frames of what is read in pieces. */
export class FrameSplitter {
  readonly #cut: Cut;
  #rest = Buffer.alloc(0);

  constructor(cut: Cut) {
    this.#cut = cut;
  }

  /** The frames that are whole with the next bytes. */
  split(bytes: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames: Buffer[] = [];
    for (;;) {
      const frame = this.#cut(this.#rest);
      if (frame === undefined) return frames;
      frames.push(frame);
      this.#rest = this.#rest.subarray(frame.length);
    }
  }
}
