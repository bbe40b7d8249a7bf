// The command line in a process that kills itself with SIGKILL in the middle of a redrive. Its first argument is a
// `RedriveKill` as JSON, the others are the words of the command. It writes down what it does, line by line.
import { openSync, writeSync } from "node:fs";
import { runProgram } from "../../src/cli/program.ts";
import { ObservedSink } from "../../src/pipeline/observed-sink.ts";
import { RedrivenMarks } from "../../src/state/redriven.ts";
import { replaceMethod } from "./replace-method.ts";
import { turns } from "./until.ts";

/** When a redrive kills itself. */
export interface RedriveKill {
  /** Where it writes what it does: `RedriveStep` as lines of JSON. */
  readonly log: string;
  /** How many events the sink must have acknowledged before; absent: it ends by itself. */
  readonly acknowledged?: number;
  /**
   * `publishing`: some turns after a publish was begun; `acknowledged`: the sink has acknowledged events that are not
   * marked yet; `marking`: some turns after their marks were begun; `marked`: the marks are durable.
   */
  readonly at: "publishing" | "acknowledged" | "marking" | "marked";
  /** Turns of the event loop. */
  readonly turns: number;
}

/** What a redrive has done: begun to publish events, got them acknowledged, or marked their letters durably. */
export interface RedriveStep {
  readonly step: "publishing" | "acknowledged" | "marked";
  readonly ids: readonly string[];
}

const { log, acknowledged, at, turns: pause } = JSON.parse(process.argv[2] ?? "") as RedriveKill;
const file = openSync(log, "a");
let count = 0;

function write(step: RedriveStep["step"], events: readonly { readonly id: string }[]): void {
  const line: RedriveStep = { step, ids: events.map(({ id }) => id) };
  writeSync(file, `${JSON.stringify(line)}\n`);
}

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

function isDue(point: RedriveKill["at"]): boolean {
  return point === at && acknowledged !== undefined && count >= acknowledged;
}

replaceMethod(ObservedSink.prototype, "publish", (publish) => {
  return async function mortalPublish(this: ObservedSink, lane, batch, signal) {
    write("publishing", batch);
    const publishing = publish.call(this, lane, batch, signal);
    if (isDue("publishing")) {
      await turns(pause);
      die();
    }
    return publishing;
  };
});

replaceMethod(RedrivenMarks.prototype, "add", (add) => {
  return async function mortalAdd(this: RedrivenMarks, letters) {
    count += letters.length;
    write("acknowledged", letters);
    if (isDue("acknowledged")) die();
    const marking = add.call(this, letters);
    if (isDue("marking")) {
      await turns(pause);
      die();
    }
    await marking;
    write("marked", letters);
    if (isDue("marked")) die();
  };
});

process.exit(await runProgram(process.argv.slice(3)));
