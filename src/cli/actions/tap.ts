import type { CertwireEvent } from "../../events/event.ts";
import { type EventCondition, meetsCondition } from "../../events/event-filter.ts";
import { filterFacts } from "../../events/filter-facts.ts";
import { jsonText } from "../../events/json-text.ts";
import { isSelected } from "../../events/selection.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { formatDuration } from "../../units.ts";
import { chooseJournal } from "../chosen-journal.ts";
import { colourOf, eventRow, headerLine, plainWidth, rowLine } from "../event-row.ts";
import type { JournalOptions } from "../journal-options.ts";
import { say, styled } from "../output.ts";
import { type SubjectOptions, subjectOf } from "../selection-options.ts";
import { stopSignal } from "../stop-signal.ts";
import type { TapSource } from "../tap/source.ts";
import { type ConnectOptions, givenOptions, usage } from "../verify/credentials.ts";

/** The options of `certwire tap`. */
export interface TapOptions extends JournalOptions, ConnectOptions, SubjectOptions {
  readonly kafka?: string;
  readonly rabbitmq?: string;
  readonly from?: Date;
  readonly last?: number;
  readonly where?: EventCondition;
  readonly json?: true;
}

/** How many past events of a journal are shown. */
const usualLast = 10;

/** `certwire tap`: shows events as they come. */
export async function tap(options: TapOptions): Promise<void> {
  const wants = wantedBy(options);
  const source = await chooseSource(options, wants);
  const output = standardOutput();
  const stop = AbortSignal.any([stopSignal(), output.ended]);
  say(`${source.name}: Ctrl-C ends it`);
  const { stdout } = process;
  const width = (): number => (stdout.isTTY ? stdout.columns : plainWidth);
  if (!options.json) output.post(`${styled(stdout, "bold", headerLine(width(), true))}\n`);
  const lineOf = (event: CertwireEvent): string => {
    if (options.json) return jsonText(event);
    const row = { ...eventRow(event), age: ageOf(event) };
    return styled(stdout, colourOf(row.kind), rowLine(row, width()));
  };
  const show = async (events: readonly CertwireEvent[]): Promise<void> => {
    const lines = events.filter(wants).map((event) => `${lineOf(event)}\n`);
    if (lines.length > 0 && !stop.aborted) await output.print(lines.join(""));
  };
  await source.follow(show, stop);
}

function wantedBy(options: TapOptions): (event: CertwireEvent) => boolean {
  const { from, where = {} } = options;
  const selection = { ...subjectOf(options), from };
  return (event) => isSelected(event, selection) && meetsCondition(where, filterFacts(event));
}

async function chooseSource(
  options: TapOptions,
  wants: (event: CertwireEvent) => boolean,
): Promise<TapSource> {
  const { kafka, rabbitmq, journal, config, from, last } = options;
  const chosen = [kafka, rabbitmq, journal ?? config];
  if (chosen.filter((each) => each !== undefined).length > 1) {
    throw usage(
      "choose one of --journal DIR, --config FILE, --kafka URL and --rabbitmq URL",
      "See certwire tap --help.",
    );
  }
  // Without any of them it is the journal of the default configuration.
  if (kafka === undefined && rabbitmq === undefined) {
    const [needless] = givenOptions(options);
    if (needless !== undefined) throw usage(`${needless} is for brokers, not for a journal`);
    if (from !== undefined && last !== undefined) {
      throw usage("--from and --last cannot be used together");
    }
    const past = { isWhole: from !== undefined, last: last ?? usualLast, wants };
    const { journalTap } = await import("../tap/journal.ts");
    return journalTap(await chooseJournal(options), past);
  }
  if (from !== undefined || last !== undefined) {
    throw usage("--from and --last are for journals: a broker is followed from now");
  }
  if (kafka !== undefined) return (await import("../tap/kafka.ts")).kafkaTap(kafka, options);
  return (await import("../tap/rabbitmq.ts")).rabbitMqTap(rabbitmq ?? "", options);
}

/** Time since the exit module recorded an event, such as `12 ms` or `3 min`; negative if a clock is wrong. */
function ageOf({ recordedtime }: CertwireEvent): string {
  const ms = Date.now() - Date.parse(recordedtime);
  return `${ms < 0 ? "-" : ""}${formatDuration(Math.abs(ms), 1)}`;
}
