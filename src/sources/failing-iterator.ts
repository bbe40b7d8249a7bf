/**
 * Takes items one by one. An iteration that fails has ended, since it cannot continue: the error is kept, so that what
 * was taken before can be finished first.
 */
export class FailingIterator<T> {
  readonly #items: AsyncIterator<T>;
  #failure: { readonly error: unknown } | undefined;

  constructor(items: AsyncIterable<T>) {
    this.#items = items[Symbol.asyncIterator]();
  }

  /** The next item; `undefined` at the end or at an error, see `throwIfFailed`. */
  async next(): Promise<T | undefined> {
    try {
      const { done, value } = await this.#items.next();
      return done ? undefined : value;
    } catch (error) {
      this.#failure = { error };
      return undefined;
    }
  }

  /** Throws the error that ended the iteration, if there was one. */
  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }

  close(): void {
    void this.#items.return?.();
  }
}
