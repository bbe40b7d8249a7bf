/** A phrase that was found in a text. */
export interface FoundPhrase<T> {
  readonly value: T;
  /** Offset of its first character. */
  readonly at: number;
  /** Offset after its last character. */
  readonly end: number;
}

/** A phrase, or the beginning of one, with links to the phrases that it ends with. */
interface Node<T> {
  /** Number of words from the root. */
  readonly depth: number;
  readonly next: Map<string, Node<T>>;
  /** Absent for a mere beginning. */
  value?: T;
  /** The longest other beginning that this one ends with; absent at the root. */
  fallback?: Node<T>;
  /** The longest other phrase that this one ends with. */
  shorter?: Node<T>;
}

/** Letters and digits, with their marks, that stand together; every other character is a word of its own. */
const words = /[\p{L}\p{N}\p{M}]+|[^]/gu;

/** Up to this number it is quicker to look for each word. */
const fewWords = 64;

/**
 * Finds phrases in texts, whole words only, whatever their case. A requester chooses how many phrases there are and how
 * they repeat each other, so this is the algorithm of Aho and Corasick: it takes time in proportion to phrases and text.
 */
export class PhraseFinder<T extends {}> {
  readonly #root: Node<T> = newNode(0);
  readonly #firstWords: readonly string[];

  constructor(phrases: Iterable<readonly [phrase: string, value: T]>) {
    for (const [phrase, value] of phrases) this.#add(phrase, value);
    this.#link();
    this.#firstWords = [...this.#root.next.keys()];
  }

  /** The phrases in a text from left to right, of those that overlap the first one, and the longest at its place. */
  findIn(text: string): FoundPhrase<T>[] {
    const found: FoundPhrase<T>[] = [];
    if (!this.#mayBeIn(text)) return found;
    const tokens = [...text.matchAll(words)];
    const longest = this.#longestFrom(tokens.map(([word]) => folded(word)));
    for (let from = 0; from < tokens.length; ) {
      const node = longest.get(from);
      const [first, last] = [tokens[from], tokens[from + (node?.depth ?? 1) - 1]];
      if (node?.value !== undefined && first && last) {
        found.push({ value: node.value, at: first.index, end: last.index + last[0].length });
      }
      from += node?.depth ?? 1;
    }
    return found;
  }

  /** Most texts have no phrase in them, which this sees sooner. */
  #mayBeIn(text: string): boolean {
    if (this.#firstWords.length > fewWords) return true;
    const key = folded(text);
    return this.#firstWords.some((word) => key.includes(word));
  }

  #add(phrase: string, value: T): void {
    let node = this.#root;
    for (const [word] of phrase.matchAll(words)) {
      const key = folded(word);
      const next = node.next.get(key) ?? newNode<T>(node.depth + 1);
      node.next.set(key, next);
      node = next;
    }
    if (node !== this.#root) node.value ??= value;
  }

  #link(): void {
    const queue = [this.#root];
    for (const node of queue) {
      for (const [word, child] of node.next) {
        let at = node.fallback;
        while (at && !at.next.has(word)) at = at.fallback;
        const fallback = at?.next.get(word) ?? this.#root;
        const shorter = fallback.value === undefined ? fallback.shorter : fallback;
        child.fallback = fallback;
        if (shorter) child.shorter = shorter;
        queue.push(child);
      }
    }
  }

  /** The longest phrase that begins at each word. */
  #longestFrom(text: readonly string[]): ReadonlyMap<number, Node<T>> {
    const longest = new Map<number, Node<T>>();
    let node = this.#root;
    for (const [at, word] of text.entries()) {
      while (node.fallback && !node.next.has(word)) node = node.fallback;
      node = node.next.get(word) ?? this.#root;
      const first = node.value === undefined ? node.shorter : node;
      for (let hit = first; hit; hit = hit.shorter) longest.set(at + 1 - hit.depth, hit);
    }
    return longest;
  }
}

function newNode<T>(depth: number): Node<T> {
  return { depth, next: new Map() };
}

/** In lower case; a sigma has two forms there, by its place in the word. */
export function folded(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes("ς") ? lower.replaceAll("ς", "σ") : lower;
}
