import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { RedriveKill, RedriveStep } from "./mortal-cli.ts";
import { patientEntry, type UrlEntry } from "./patient-entry.ts";
import { temporaryDirectory } from "./run-cli.ts";
import { range } from "./run-pipeline.ts";
import { sampleEvent } from "./sample-events.ts";
import { scaled, sizeFromEnvironment } from "./scale.ts";

const kills = sizeFromEnvironment("CERTWIRE_REDRIVE_KILLS", 10);
const keys = 50;
const maxInFlightEvents = 64;
/** Most letters that a killed redrive gets acknowledged before the kill is due. */
const acknowledgedMost = scaled(150);
/** Enough that every kill, and the last run too, finds some left. */
const letters = (kills + 1) * (acknowledgedMost + 2 * maxInFlightEvents);
const lettersInFile = 500;
const points = ["publishing", "acknowledged", "marking", "marked"] as const;
const script = fileURLToPath(new URL("mortal-cli.js", import.meta.url));

/** A dead-letter directory whose redrive is killed. */
class KilledRedrive {
  readonly #t: TestContext;
  readonly #state: string;
  readonly #config: string;
  readonly #log: string;

  constructor(t: TestContext, entry: UrlEntry) {
    const directory = temporaryDirectory(t);
    this.#t = t;
    this.#state = join(directory, "state");
    this.#config = join(directory, "certwire.json");
    this.#log = join(directory, "steps");
    const sinks = [patientEntry({ name: "sink", maxInFlightEvents, ...entry })];
    const places = { journal: { directory: "journal" }, state: { directory: "state" } };
    writeFileSync(this.#config, JSON.stringify({ ...places, sinks }));
    mkdirSync(join(this.#state, "dead-letters"), { recursive: true });
    for (let first = 1; first <= letters; first += lettersInFile) {
      const name = `sink.${first}.ndjson`;
      const lines = range(first, Math.min(letters, first + lettersInFile - 1)).map(letterLine);
      writeFileSync(join(this.#state, "dead-letters", name), lines.join(""));
    }
  }

  /** Runs a redrive, which kills itself if it is to; returns what it did. */
  async run(kill?: Omit<RedriveKill, "log">, words: readonly string[] = []) {
    writeFileSync(this.#log, "");
    const order = { at: "marked", turns: 0, ...kill, log: this.#log } satisfies RedriveKill;
    const command = ["dead-letters", "redrive", "--config", this.#config, ...words];
    const child = spawn(process.execPath, [script, JSON.stringify(order), ...command], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#t.after(() => child.kill("SIGKILL"));
    const [stderr, ended] = await Promise.all([text(child.stderr), once(child, "exit")]);
    assert.deepEqual(ended, kill ? [null, "SIGKILL"] : [0, null], stderr);
    const steps = wholeLines(readFileSync(this.#log, "utf8")) as RedriveStep[];
    const idsOf = (wanted: RedriveStep["step"]) =>
      new Set(steps.flatMap(({ step, ids }) => (step === wanted ? ids : [])));
    return {
      stderr,
      steps,
      published: idsOf("publishing"),
      acknowledged: idsOf("acknowledged"),
      marked: idsOf("marked"),
    };
  }

  /** The ids of the letters whose marks are on disk. */
  marks(): Set<string> {
    const path = join(this.#state, "redriven.ndjson");
    const lines = existsSync(path) ? wholeLines(readFileSync(path, "utf8")) : [];
    return new Set((lines as { id: string }[]).map(({ id }) => id));
  }

  letterFiles(): string[] {
    return readdirSync(join(this.#state, "dead-letters"));
  }
}

function letterLine(number: number): string {
  const time = "2026-01-31T12:00:00.000Z";
  const event = sampleEvent(number, `ca/${number % keys}`, 300);
  const letter = { time, sink: "sink", reason: "unroutable", message: "no queue", event };
  return `${JSON.stringify(letter)}\n`;
}

/** The values of the lines of JSON, without one that a kill cut off. */
export function wholeLines(lines: string): unknown[] {
  return lines.split("\n").flatMap((line): unknown[] => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

/** A random instant of a random kind; the first run is killed when it has marked nothing. */
function killPoint(run: number): Omit<RedriveKill, "log"> {
  const at = run === 0 ? "acknowledged" : (points[run % points.length] ?? "acknowledged");
  return { at, acknowledged: run === 0 ? 0 : randomInt(acknowledgedMost), turns: randomInt(5) };
}

function without(all: Iterable<string>, left: ReadonlySet<string>): string[] {
  return [...all].filter((id) => !left.has(id));
}

/**
 * How often each event was published. Within one run it is published again only as long as no acknowledgement has come:
 * the connection may have ended after the broker had it.
 */
class Attempts {
  readonly #counts = new Map<string, number>();
  /** Attempts after the first one within a run, of all events. */
  inRun = 0;

  /** Adds the steps of one run. */
  add(steps: readonly RedriveStep[], name: string): void {
    const [published, acknowledged] = [new Set<string>(), new Set<string>()];
    for (const { step, ids } of steps) {
      if (step === "acknowledged") for (const id of ids) acknowledged.add(id);
      if (step !== "publishing") continue;
      const again = ids.filter((id) => acknowledged.has(id));
      assert.deepEqual(again, [], `${name}: published again after the acknowledgement`);
      for (const id of ids) {
        if (published.has(id)) this.inRun += 1;
        published.add(id);
        this.#counts.set(id, this.of(id) + 1);
      }
    }
  }

  of(id: string): number {
    return this.#counts.get(id) ?? 0;
  }
}

/**
 * Kills redrives to a sink, again and again at random instants, then lets one finish. Of each kill: what was marked stays
 * marked, nothing marked was published again, and at most the events in flight were published and not marked. Of each
 * run: nothing acknowledged was published again. In the end: no letter is missing, and none arrived more often than it was
 * published. So an event arrives twice only if a kill found it published and not marked, or if the broker had it and
 * its acknowledgement did not arrive. `read` gives all events that arrived.
 */
export async function killRedrives(
  t: TestContext,
  entry: UrlEntry,
  read: () => Promise<readonly { readonly id: string }[]>,
): Promise<void> {
  const redrive = new KilledRedrive(t, entry);
  const attempts = new Attempts();
  let unmarked = 0;
  for (let run = 0; run < kills; run += 1) {
    const kill = killPoint(run);
    const name = `kill ${run}, ${JSON.stringify(kill)}`;
    const before = redrive.marks();
    const { steps, published, acknowledged, marked } = await redrive.run(kill);
    const after = redrive.marks();
    assert.deepEqual(without([...before, ...marked], after), [], `${name}: marks were lost`);
    assert.deepEqual(
      [...published].filter((id) => before.has(id)),
      [],
      `${name}: published again`,
    );
    assert.deepEqual(
      without(after, new Set([...before, ...acknowledged])),
      [],
      `${name}: too early`,
    );
    const open = without(published, after);
    assert.ok(open.length <= maxInFlightEvents, `${name}: ${open.length} events in flight`);
    attempts.add(steps, name);
    unmarked += without(acknowledged, after).length;
  }
  const marked = redrive.marks();
  const last = await redrive.run();
  assert.ok(last.published.size > 0, "the last run has letters left");
  assert.deepEqual(
    [...last.published].filter((id) => marked.has(id)),
    [],
    "published again",
  );
  attempts.add(last.steps, "the last run");
  const none = await redrive.run(undefined, ["--delete"]);
  assert.equal(none.published.size, 0, "nothing is left to redrive");
  assert.deepEqual(redrive.letterFiles(), [], none.stderr);
  const arrived = new Map<string, number>();
  for (const { id } of await read()) arrived.set(id, (arrived.get(id) ?? 0) + 1);
  const all = range(1, letters).map((n) => sampleEvent(n).id);
  assert.deepEqual(without(all, new Set(arrived.keys())), [], "letters are missing");
  const tooOften = [...arrived].filter(([id, times]) => times > attempts.of(id));
  assert.deepEqual(tooOften, [], "arrived again without need");
  const copies = [...arrived.values()].reduce((sum, times) => sum + times - 1, 0);
  assert.ok(copies <= kills * maxInFlightEvents + attempts.inRun);
  t.diagnostic(
    `${letters} letters, ${kills} kills: 0 missing, ${unmarked} acknowledged and not marked, ` +
      `${copies} duplicates of at most ${maxInFlightEvents} per kill, ` +
      `${attempts.inRun} published again within a run`,
  );
}
