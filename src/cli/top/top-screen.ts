import type { Status } from "../../health/status.ts";
import { countOf, formatBytes, formatDuration } from "../../units.ts";
import { durationsText } from "../durations-text.ts";
import type { FoundStatus } from "../find-status.ts";
import { brokenLines, inLine, styled } from "../output.ts";
import type { Rates } from "./rates.ts";

/** Orders of the sinks, as `s` goes through them. */
export const sortKeys = ["name", "waiting", "rate", "dead letters"] as const;
export type SortKey = (typeof sortKeys)[number];

/** What `certwire top` shows. */
export interface TopView extends FoundStatus {
  readonly rates: Rates;
  readonly sort: SortKey;
  /** Name of the sink whose reasons alone are shown; `undefined` for all. */
  readonly selected: string | undefined;
  readonly isPaused: boolean;
  readonly hasHelp: boolean;
}

/** Columns and lines of a terminal. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

type Sink = Status["sinks"][number];

const colours = { ok: "green", degraded: "yellow", failing: "red" } as const;

/** At most `rows` lines of at most `columns` characters, without a line break; texts of others are made safe. */
export function topScreen(view: TopView, { columns, rows }: ScreenSize): string[] {
  const fit = (line: string) => (line.length > columns ? `${line.slice(0, columns - 1)}…` : line);
  const keys = styled(process.stdout, "dim", fit(keyLine));
  if (view.hasHelp) return [...help.map(fit).slice(0, rows - 1), keys];
  const body = [...headLines(view, fit), "", ...sinkTable(view, columns, rows), ""];
  const space = Math.max(0, rows - 1 - body.length);
  return [...[...body, ...reasonLines(view, columns, space)].slice(0, rows - 1), keys];
}

const keyLine = "q quit  p pause  s sort  up/down sink  ? help";

const help = [
  "certwire top",
  "",
  "  q, Ctrl-C       quit",
  "  p, space        pause, go on",
  `  s               sort the sinks by ${sortKeys.join(", ")}`,
  "  up, down, k, j  choose a sink, whose reasons alone are shown; up again: all",
  "  ?               this help; any key closes it",
  "",
  "REC/S      records a second over the last 15 s, by the checkpoints of a sink",
  "WAITING    records that the sink has not acknowledged",
  "OLDEST     age of the oldest of them: the delay of the sink",
  "DEAD       bytes of its dead letters",
  "",
  "certwire explain CODE says what a reason means.",
];

function headLines(view: TopView, fit: (line: string) => string): string[] {
  const { status, rates, source, note, isPaused } = view;
  const { state, time, journal, service } = status;
  const at = Date.parse(time);
  const paused = isPaused ? "  PAUSED" : "";
  const about = `service ${service.state}, ${inLine(source)}`;
  return [
    styled(
      process.stdout,
      colours[state],
      fit(`${state}${paused}  ${time.slice(11, 19)}Z  ${about}`),
    ),
    ...(note === undefined ? [] : [fit(`endpoint not used: ${inLine(note)}`)]),
    ...(journal === undefined
      ? ["journal cannot be read"]
      : journalLines(journal, rates, at).map(fit)),
  ];
}

function journalLines(journal: NonNullable<Status["journal"]>, { recorded }: Rates, at: number) {
  const { writer, writerBeat, newest, segments, bytes, capacityBytes, freeBytes, durations } =
    journal;
  const newestText = newest === undefined ? "no record" : `newest record ${age(newest.time, at)}`;
  const condition = writerBeat?.condition ?? "ok";
  const trouble = writer === "stopped" || condition === "ok" ? "" : `, ${condition}`;
  const append = durations?.append;
  const appends =
    append === undefined || append.count === 0 ? [] : [`append   ${durationsText(append)}`];
  const share = capacityBytes > 0 ? `, ${Math.floor((100 * bytes) / capacityBytes)} %` : "";
  return [
    `CA       exit module ${writer}${trouble}, ${newestText}, ${rateText(recorded)} rec/s`,
    `journal  ${countOf(segments, "segment")}, ${formatBytes(bytes)} of ${formatBytes(capacityBytes)}${share}, ${formatBytes(freeBytes)} free`,
    ...appends,
  ];
}

interface Column {
  readonly title: string;
  /** In characters. */
  readonly width: number;
  readonly text: (sink: Sink, view: TopView) => string;
}

/** After the name. A narrow screen leaves out the last ones. */
const columnsOfTable: readonly Column[] = [
  { title: "STATE", width: 10, text: ({ state }) => state ?? "" },
  {
    title: "REC/S",
    width: 8,
    text: ({ name }, { rates }) => rateText(rates.acknowledged.get(name)),
  },
  { title: "WAITING", width: 9, text: ({ backlog }) => waitingText(backlog) },
  { title: "OLDEST", width: 11, text: oldestText },
  {
    title: "DEAD",
    width: 9,
    text: ({ deadLetters }) => (deadLetters === undefined ? "?" : bytesText(deadLetters.bytes)),
  },
];
const gap = 2;
const leastName = 12;

function sinkTable(view: TopView, columns: number, rows: number): string[] {
  const shown = [...columnsOfTable];
  const widthOf = () => shown.reduce((sum, { width }) => sum + width + gap, 0);
  while (shown.length > 0 && 2 + leastName + widthOf() > columns) shown.pop();
  const nameWidth = Math.max(1, Math.min(30, columns - 2 - widthOf()));
  const line = (mark: string, name: string, cells: readonly string[]): string => {
    const right = cells.map((cell, index) => cut(cell, shown[index]?.width ?? 0));
    const padded = right.map((cell, index) => cell.padStart((shown[index]?.width ?? 0) + gap));
    return `${mark}${cut(name, nameWidth).padEnd(nameWidth)}${padded.join("")}`.trimEnd();
  };
  const sinks = sortedSinks(view);
  const chosen = sinks.findIndex(({ name }) => name === view.selected);
  // The chosen one stays on the screen.
  const space = Math.max(1, Math.min(sinks.length, rows - 10));
  const first = Math.max(0, Math.min(chosen - space + 1, sinks.length - space));
  const title = line(
    "  ",
    `SINK (${view.sort})`,
    shown.map((column) => column.title),
  );
  return [
    styled(process.stdout, "bold", title),
    ...sinks.slice(first, first + space).map((sink) => {
      const isChosen = sink.name === view.selected;
      const cells = shown.map(({ text }) => text(sink, view));
      const row = line(isChosen ? "> " : "  ", inLine(sink.name), cells);
      return isChosen ? styled(process.stdout, "inverse", row) : row;
    }),
  ];
}

/** The sinks in the order of the view. */
export function sortedSinks({ status, rates, sort }: TopView): readonly Sink[] {
  const weight: Record<Exclude<SortKey, "name">, (sink: Sink) => number> = {
    waiting: ({ backlog }) => backlog?.records ?? Number.POSITIVE_INFINITY,
    rate: ({ name }) => rates.acknowledged.get(name) ?? -1,
    "dead letters": ({ deadLetters }) => deadLetters?.bytes ?? -1,
  };
  return status.sinks.toSorted((a, b) => {
    if (sort === "name") return compare(a.name, b.name);
    const [x, y] = [weight[sort](a), weight[sort](b)];
    return x === y ? compare(a.name, b.name) : y - x;
  });
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function reasonLines({ status, selected }: TopView, columns: number, space: number): string[] {
  const found = status.reasons.filter(({ sink }) => selected === undefined || sink === selected);
  if (found.length === 0)
    return [selected === undefined ? "nothing is wrong" : "nothing is wrong with this sink"];
  const lines: string[] = [];
  for (const [index, { code, state, sink, since, detail, meaning, hint }] of found.entries()) {
    const whose = sink === undefined ? "" : ` of ${inLine(sink)}`;
    const when = since === undefined ? "" : ` since ${since.slice(0, 19)}Z`;
    const text = inLine(detail === undefined ? meaning : `${meaning} ${detail}`);
    const head = styled(
      process.stdout,
      colours[state],
      cut(`${state}: ${code}${whose}${when}`, columns),
    );
    const block = [
      head,
      ...indented(text, columns).slice(0, 3),
      ...indented(`> ${inLine(hint)}`, columns),
    ];
    const left = found.length - index;
    // A reason is shown as a whole, but for the first one; the line after the last one counts the rest.
    if (index > 0 && lines.length + block.length + (left > 1 ? 1 : 0) > space) {
      return [...lines, `and ${left} more: certwire status --json`];
    }
    lines.push(...block);
  }
  return lines;
}

function indented(text: string, columns: number): string[] {
  return brokenLines(text, Math.max(10, columns - 2), { cutsWords: true }).map(
    (line) => `  ${line}`,
  );
}

function rateText(rate: number | undefined): string {
  if (rate === undefined) return "-";
  return rate >= 100 ? String(Math.round(rate)) : rate.toFixed(1);
}

function waitingText(backlog: Sink["backlog"]): string {
  if (backlog === undefined) return "?";
  return backlog.records === undefined ? bytesText(backlog.bytes) : String(backlog.records);
}

function oldestText({ backlog }: Sink, { status }: TopView): string {
  const time = backlog?.oldestTime;
  return time === undefined
    ? "-"
    : formatDuration(Math.max(0, Date.parse(status.time) - Date.parse(time)));
}

function bytesText(bytes: number): string {
  return bytes === 0 ? "-" : formatBytes(bytes);
}

function age(time: string, at: number): string {
  const ms = at - Date.parse(time);
  return ms < -1000 ? `${formatDuration(-ms)} ahead` : `${formatDuration(Math.max(0, ms))} ago`;
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
}
