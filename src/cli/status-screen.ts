import type { Status } from "../health/status.ts";
import { countOf, formatBytes, formatDuration } from "../units.ts";
import { durationsText } from "./durations-text.ts";
import { brokenLines, inLine, styled } from "./output.ts";

/** Columns of the narrowest terminal. */
const columns = 80;
/** Columns for the service, between the longest state and the time. */
const serviceColumns = 48;
/** More reasons are only counted, so that all of it fits on one screen. */
const mostReasons = 4;

const colours = { ok: "green", degraded: "yellow", failing: "red" } as const;

type Reason = Status["reasons"][number];
type Sink = Status["sinks"][number];
type Journal = NonNullable<Status["journal"]>;
type Comparison = NonNullable<Status["reconcile"]>;

/** A status for people: at most 80 columns, the reasons first, names and errors made safe for a terminal. */
export function statusScreen(found: Status): string[] {
  const { state, time, reasons, journal, sinks, reconcile } = found;
  const at = Date.parse(time);
  const left = reasons.length - mostReasons;
  return [
    `${styled(process.stdout, colours[state], state)}  ${serviceText(found.service, at)}, ${time.slice(0, 19)}Z`,
    ...reasons.slice(0, mostReasons).flatMap((reason) => ["", ...reasonLines(reason)]),
    ...(left > 0 ? ["", `and ${left} more: certwire status --json`] : []),
    "",
    ...(journal === undefined ? ["journal  cannot be read"] : journalLines(journal, at)),
    ...sinks.flatMap((sink) => sinkLines(sink, at)),
    ...(reconcile === undefined ? [] : field("CA database", comparisonText(reconcile, at))),
  ];
}

function serviceText(
  { state, pid, host, startedTime, version }: Status["service"],
  at: number,
): string {
  const name = `certwire ${cut(inLine(version), 11)}`;
  if (state === "unknown") return `${name}, the service cannot be seen`;
  if (state === "stopped") return `${name}, the service does not run`;
  const upMs = startedTime === undefined ? undefined : Math.max(0, at - Date.parse(startedTime));
  const up = upMs === undefined ? "" : ` for ${formatDuration(upMs)}`;
  const process = pid === undefined ? "" : `, process ${pid} on ${inLine(host ?? "")}`;
  return cut(`service running${up}${process}`, serviceColumns);
}

function reasonLines({ code, state, sink, since, detail, meaning, hint }: Reason): string[] {
  const whose = sink === undefined ? "" : ` of ${inLine(sink)}`;
  const when = since === undefined ? "" : ` since ${since.slice(0, 19)}Z`;
  const head = cut(`${state}: ${code}${whose}${when}`, columns);
  return [
    styled(process.stdout, colours[state as keyof typeof colours], head),
    ...wrapped(inLine(detail === undefined ? meaning : `${meaning} ${detail}`), "  ").slice(0, 4),
    ...wrapped(inLine(hint), "  ").map((line, index) =>
      index === 0 ? line.replace(/^ {2}/, "> ") : line,
    ),
  ];
}

function journalLines(journal: Journal, at: number): string[] {
  const { segments, bytes, capacityBytes, freeBytes, newest, durations } = journal;
  const newestText =
    newest === undefined
      ? "no record"
      : `newest record ${age(newest.time, at)}, epoch ${newest.epochNumber}, sequence ${inLine(newest.sequence)}`;
  const append = durations?.append;
  return [
    ...field("CA", `exit module ${writerText(journal, at)}, ${newestText}`),
    ...field(
      "journal",
      `${countOf(segments, "segment")}, ${formatBytes(bytes)} of ${formatBytes(capacityBytes)}, ${formatBytes(freeBytes)} free`,
    ),
    ...(append === undefined || append.count === 0 ? [] : field("append", durationsText(append))),
  ];
}

function writerText({ writer, writerBeat: beat }: Journal, at: number): string {
  if (writer === "stopped" || beat === undefined) return writer;
  const condition = beat.condition === "ok" ? "" : `, ${beat.condition}`;
  return `${writer}${condition}, sign of life ${age(beat.time, at)}`;
}

function sinkLines({ name, kind, state, checkpoint, backlog, deadLetters }: Sink, at: number) {
  const parts = [inLine(kind)];
  if (state !== undefined) parts.push(state);
  if (checkpoint === undefined) parts.push("checkpoint cannot be read");
  if (checkpoint?.state === "new") parts.push("no checkpoint");
  if (checkpoint?.state === "damaged") parts.push("checkpoint damaged");
  parts.push(backlogText(backlog, at));
  if (checkpoint?.savedTime !== undefined) parts.push(`saved ${age(checkpoint.savedTime, at)}`);
  if (deadLetters === undefined) parts.push("dead letters cannot be read");
  else if (deadLetters.bytes > 0) parts.push(`dead letters ${formatBytes(deadLetters.bytes)}`);
  return field(inLine(name), parts.join(", "));
}

function backlogText(backlog: Sink["backlog"], at: number): string {
  if (backlog === undefined) return "what waits is not known";
  const { records, bytes, oldestTime } = backlog;
  if (oldestTime === undefined) return "nothing waits";
  const count = records === undefined ? "" : `${countOf(records, "record")}, `;
  return `${count}up to ${formatBytes(bytes)} wait, the oldest ${age(oldestTime, at)}`;
}

function comparisonText(
  { running, lastTime, rows = 0, open, unlisted = 0, nextTime }: Comparison,
  at: number,
): string {
  const parts = [
    lastTime === undefined
      ? "not compared yet"
      : `compared ${age(lastTime, at)}, ${countOf(rows, "row")}`,
  ];
  const counts = Object.entries(open ?? {}).filter(([, count]) => count > 0);
  if (counts.length > 0) {
    parts.push(`open: ${counts.map(([found, count]) => `${count} ${found}`).join(" and ")}`);
  } else if (lastTime !== undefined) parts.push("no open finding");
  if (unlisted > 0) parts.push(`${unlisted} more in its file`);
  if (running) parts.push("being compared now");
  if (nextTime !== undefined) {
    parts.push(`next in ${formatDuration(Math.max(0, Date.parse(nextTime) - at))}`);
  }
  return parts.join(", ");
}

/** How long ago a time is; a record of the future is named as such. */
function age(time: string, at: number): string {
  const ms = at - Date.parse(time);
  return ms < -1000 ? `${formatDuration(-ms)} ahead` : `${formatDuration(Math.max(0, ms))} ago`;
}

/** A name and its text in lines of at most 80 columns. */
function field(name: string, text: string): string[] {
  const head = name.length > 12 ? `${name.slice(0, 11)}…` : name;
  return wrapped(text, " ".repeat(14)).map((line, index) =>
    index === 0 ? `${head.padEnd(14)}${line.slice(14)}` : line,
  );
}

/** A text in lines of at most 80 columns, each with the indent. */
function wrapped(text: string, indent: string): string[] {
  const lines = brokenLines(text, columns - indent.length, { cutsWords: true });
  return lines.map((line) => `${indent}${line}`.trimEnd());
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
