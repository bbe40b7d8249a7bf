import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--allow-natives-syntax");
/**
 * Settles all promises that can be settled now. Waiting for a turn of the event loop does the same, at ten times the
 * cost, and a simulation takes millions of steps. Only from a macrotask.
 */
// oxlint-disable-next-line typescript/no-implied-eval -- no other syntax reaches it
const settlePromises = new Function("%PerformMicrotaskCheckpoint()") as () => void;

/** Steps between two turns of the event loop, in which Node.js reports rejections that nobody handles. */
const stepsInTurn = 1000;

/** A process of the simulated machine: what it has scheduled is dropped when it is killed. */
export interface SimulatedProcess {
  readonly name: string;
  isAlive: boolean;
}

/** Something that happens at a time. */
export interface Due {
  at: number;
  readonly order: number;
  readonly process: SimulatedProcess | undefined;
  run: (() => void) | undefined;
}

/**
 * Virtual time: it stands still while code runs, and jumps to the next thing that is due. Everything that is due at one
 * time happens in the order in which it was asked for, and every promise settles in between, so a run depends on nothing
 * but its seed.
 */
export class Scheduler {
  readonly #heap: Due[] = [];
  #order = 0;
  #now = 0;
  /** The process whose code runs now; `undefined` for the world around it. */
  process: SimulatedProcess | undefined;
  /** Things that have happened. */
  steps = 0;

  /** Ms since the start of the simulation. */
  get now(): number {
    return this.#now;
  }

  /** Calls back after `ms`, unless the process that asks for it was killed. */
  after(ms: number, run: () => void, process = this.process): Due {
    const due = { at: this.#now + Math.max(0, ms), order: this.#order++, process, run };
    this.#push(due);
    return due;
  }

  /** Does not call back. */
  cancel(due: Due): void {
    due.run = undefined;
  }

  /** Runs code as a process; what it schedules belongs to it. */
  as<T>(process: SimulatedProcess | undefined, run: () => T): T {
    const before = this.process;
    this.process = process;
    try {
      return run();
    } finally {
      this.process = before;
    }
  }

  /** Lets time pass until it is `until`, or until `isDone`. */
  async run(until: number, isDone: () => boolean = () => false): Promise<void> {
    let isOver = false;
    while (!isOver) {
      await turn();
      isOver = await new Promise<boolean>((resolve, reject) => {
        setImmediate(() => {
          try {
            resolve(this.#runSome(until, isDone));
          } catch (error) {
            reject(error);
          }
        });
      });
    }
    if (!isDone()) this.#now = Math.max(this.#now, until);
  }

  /** True once nothing is left to do. */
  #runSome(until: number, isDone: () => boolean): boolean {
    for (let steps = 0; steps < stepsInTurn; ) {
      const [next] = this.#heap;
      if (isDone() || next === undefined || next.at > until) return true;
      this.#pop();
      if (next.run === undefined || next.process?.isAlive === false) continue;
      steps += 1;
      this.steps += 1;
      this.#now = next.at;
      this.process = next.process;
      next.run();
      settlePromises();
      this.process = undefined;
    }
    return false;
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(due, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
