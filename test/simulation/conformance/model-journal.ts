import type { JournalFrame } from "../../../src/journal/frame.ts";
import { framesOf } from "../../../src/journal/journal-reader.ts";
import type { JournalPosition } from "../../../src/journal/position.ts";
import { Disk } from "../disk.ts";
import { JournalModel } from "../journal.ts";
import { SimulatedReader } from "../journal-reader.ts";
import { KafkaModel } from "../kafka.ts";
import { RabbitMqModel } from "../rabbitmq.ts";
import { Random } from "../random.ts";
import { enter, type World } from "../world.ts";
import type { Tear } from "./journal-script.ts";
import type { JournalSubject } from "./play-journal.ts";
import { VirtualTime } from "./virtual-time.ts";

/** First sequence number of each segment after the first, by the number of the epoch. */
export type Layout = ReadonlyMap<number, ReadonlySet<number>>;

const limits = {
  segmentBytes: 1,
  framesInSegment: Infinity,
  maxJournalBytes: 1e9,
  minFreeBytes: 0,
};

/** The model as the subject of a script. */
export class ModelJournal implements JournalSubject {
  readonly #time = new VirtualTime();
  readonly #world: World;
  readonly #layout: Layout;
  #reader: SimulatedReader | undefined;

  /** `layout`: where the writer begins segments, which is up to it. */
  constructor(layout: Layout) {
    this.#layout = layout;
    const { scheduler } = this.#time;
    const random = new Random(1);
    const disk = new Disk(scheduler, random);
    const journal: JournalModel = new JournalModel(disk, () => this.#world, limits);
    const kafka = new KafkaModel(scheduler, random);
    const rabbitmq = new RabbitMqModel(scheduler, random, "4.0.5");
    const [wallOffsetMs, topic, names] = [0, "events", new Map()];
    const brokers = { kafka, rabbitmq };
    this.#world = { scheduler, random, disk, journal, ...brokers, wallOffsetMs, topic, names };
    enter(this.#world);
  }

  async append(requestIds: readonly number[]): Promise<void> {
    const { journal } = this.#world;
    if (!journal.isRunning) journal.start();
    for (const requestId of requestIds) {
      const { number, nextSequence } = journal.epochs().at(-1)!;
      if (this.#layout.get(number)?.has(nextSequence) === true) journal.roll();
      journal.record("request", requestId);
    }
    await this.#flushed();
  }

  async end(how: "seal" | "kill"): Promise<void> {
    const { journal } = this.#world;
    if (how === "seal") journal.stop();
    else journal.kill(false);
  }

  async tear(torn: readonly boolean[], tear: Tear): Promise<void> {
    const { journal } = this.#world;
    const frames = journal.segments().at(-1)?.frames ?? [];
    const lost = new Set(
      frames.slice(-torn.length).filter((_, at, { length }) => torn.at(at - length)),
    );
    const part = tear === "first-half" || tear === "no-payload" ? "payload" : "header";
    journal.tear((frame) => (lost.has(frame) ? part : undefined));
  }

  async deleteOldest(segments: number): Promise<void> {
    this.#world.journal.deleteOldest(segments);
  }

  async open(position: JournalPosition | null): Promise<void> {
    this.#reader?.close();
    this.#reader = new SimulatedReader({
      directory: "/journal",
      quarantineDirectory: null,
      mode: "committed",
      position,
      maxBatchBytes: 1,
      maxBatchFrames: 1,
    });
  }

  async read(count: number): Promise<readonly JournalFrame[]> {
    const frames: JournalFrame[] = [];
    while (frames.length < count) {
      const settled = await this.#time.settle(async () => this.#reader?.read());
      if (settled === undefined) throw new Error("the model gives no answer");
      if ("error" in settled) throw settled.error;
      if (settled.value == null) break;
      frames.push(...framesOf(settled.value));
    }
    return frames;
  }

  async close(): Promise<void> {
    this.#reader?.close();
  }

  /** Waits until every frame is seen and known to be flushed. */
  async #flushed(): Promise<void> {
    const { scheduler } = this.#time;
    await scheduler.run(scheduler.now + 1000);
  }
}
