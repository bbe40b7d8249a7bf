import { appendFile } from "node:fs/promises";
import type { CertwireEvent, DeadLetter } from "./certwire.ts";

/** The file for what the SIEM refuses permanently: one line of JSON each, for `resend` and for a person. */
export class RefusedFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Keeps an event. Resolves when it is on disk. */
  async keep(event: CertwireEvent, reason: string): Promise<void> {
    await this.#append({ reason, event });
  }

  /** Keeps a message that is not an event of Certwire. Resolves when it is on disk. */
  async keepMessage({ message, error }: DeadLetter): Promise<void> {
    const { place, headers, body } = message;
    await this.#append({ reason: error.message, place, headers, base64: body.toString("base64") });
  }

  /** Opens the file each time: it may be moved away while the program runs. */
  async #append(line: object): Promise<void> {
    const text = `${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`;
    await appendFile(this.path, text, { mode: 0o600, flush: true });
  }
}
