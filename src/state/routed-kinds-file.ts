import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { directoryModes, refuseLinkedDirectory } from "../files/append-file.ts";
import { ignoreMissing, statIfExists } from "../files/existing.ts";
import { readLimitedText } from "../files/limited-text.ts";
import { replaceFile } from "../files/replace-file.ts";
import { mebibyte } from "../units.ts";

/** A larger file is not one that Certwire has written, in bytes. */
const maxBytes = 8 * mebibyte;
/** More are not kept: without them some events wait less. */
const maxKinds = 10_000;
/** Longest kind with its exchange and routing key, in UTF-16 units. */
const maxLength = 600;

const content = z.object({
  /** SHA-256 of what decides where events go, hex. */
  routing: z.string(),
  kinds: z.array(z.string().max(maxLength)).max(maxKinds),
});

/**
 * The kinds of events that the broker of one sink has routed, each with the exchange and the routing key after it; kept
 * over restarts. They hold for one routing: on another vhost, for instance, nothing is known.
 */
export class RoutedKindsFile {
  /** What was read. */
  readonly kinds: readonly string[];
  readonly #path: string;
  readonly #root: string;
  readonly #routing: string;

  private constructor(paths: RoutedKindsPaths, routing: string, kinds: readonly string[]) {
    this.#path = paths.path;
    this.#root = paths.root;
    this.#routing = routing;
    this.kinds = kinds;
  }

  /**
   * Reads the kinds of a routing; none if the file does not exist or is of another one. `failed` is called with the
   * error of a file that cannot be read, or does not hold kinds: none of them counts then.
   */
  static async read(
    paths: RoutedKindsPaths,
    routing: string,
    failed: (error: unknown) => void,
  ): Promise<RoutedKindsFile> {
    const hash = createHash("sha256").update(routing).digest("hex");
    const text = await readText(paths.path).catch((error: unknown) => {
      failed(error);
      return undefined;
    });
    const found = text === undefined ? undefined : parse(paths.path, text, failed);
    return new RoutedKindsFile(paths, hash, found?.routing === hash ? found.kinds : []);
  }

  /** Replaces the file. Rejects with the error of the file system; the old one is still there then. */
  async save(kinds: readonly string[]): Promise<void> {
    const directory = dirname(this.#path);
    await mkdir(directory, { recursive: true, mode: directoryModes.private });
    await refuseLinkedDirectory(directory, this.#root);
    const lines: z.infer<typeof content> = {
      routing: this.#routing,
      kinds: kinds.slice(0, maxKinds),
    };
    await replaceFile(this.#path, "private", [`${JSON.stringify(lines)}\n`]);
  }
}

/** Where a `RoutedKindsFile` is. */
export interface RoutedKindsPaths {
  readonly path: string;
  /** The state directory, which may be a link; none below it may. */
  readonly root: string;
}

async function readText(path: string): Promise<string | undefined> {
  const stats = await statIfExists(path);
  if (stats === undefined) return undefined;
  if (!stats.isFile() || stats.size > maxBytes) throw notKinds(path);
  return readLimitedText(path, maxBytes).catch(ignoreMissing);
}

function parse(path: string, text: string, failed: (error: unknown) => void) {
  try {
    return content.parse(JSON.parse(text));
  } catch {
    failed(notKinds(path));
    return undefined;
  }
}

function notKinds(path: string): Error {
  return new Error(`${path} is not a file of routed kinds`);
}
