import type { Channel } from "amqplib";

/** What the inventory knows about a certificate. */
export interface InventoryEntry {
  readonly serialNumber: string;
  readonly subject: string;
  readonly notAfter: string;
  readonly state: "valid" | "on hold" | "revoked";
}

/** The few fields of an event that the inventory reads. */
interface CertificateEvent {
  readonly id: string;
  readonly type: string;
  readonly data: {
    readonly certificate?: {
      readonly serialNumber: string;
      readonly subject: { readonly distinguishedName: string };
      readonly notAfter: string;
    };
    readonly revocation?: { readonly reason: string };
  };
}

/** An example of a consumer: it tracks which certificates are valid. */
export class CertificateInventory {
  readonly #entries = new Map<string, InventoryEntry>();
  readonly #seen = new Set<string>();
  #handled = 0;

  /** Events that were worked in, also those that changed nothing. */
  get handled(): number {
    return this.#handled;
  }

  get entries(): readonly InventoryEntry[] {
    return [...this.#entries.values()];
  }

  /** Consumes events from a queue; acknowledges each once it is in the inventory. */
  async consume(channel: Channel, queue: string): Promise<void> {
    await channel.consume(queue, (message) => {
      if (message === null) return;
      this.handle(JSON.parse(message.content.toString("utf8")) as CertificateEvent);
      channel.ack(message);
    });
  }

  /** Applies one event. Delivery is at least once, so an id that was seen before changes nothing. */
  handle({ id, type, data }: CertificateEvent): void {
    this.#handled += 1;
    const { certificate } = data;
    if (certificate === undefined || this.#seen.has(id)) return;
    this.#seen.add(id);
    const { serialNumber, notAfter } = certificate;
    const subject = certificate.subject.distinguishedName;
    const state = stateAfter(type, data.revocation?.reason);
    this.#entries.set(serialNumber, { serialNumber, subject, notAfter, state });
  }
}

function stateAfter(type: string, reason: string | undefined): InventoryEntry["state"] {
  if (!type.endsWith("certificate.revoked.v1")) return "valid";
  return reason === "certificateHold" ? "on hold" : "revoked";
}
