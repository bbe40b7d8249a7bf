import type { ComponentChildren, JSX } from "preact";
import type { Status } from "../src/health/status.ts";
import type { HistoryPoint } from "../src/service/history.ts";
import { countOf, formatBytes, formatDuration } from "../src/units.ts";
import { Ago, countText, Figure, plainText, rateText, Text } from "./text.tsx";

type Sink = Status["sinks"][number];

/** The way of an event with live figures: CA, journal, sinks. */
export function Way(props: {
  readonly status: Status;
  readonly points: readonly HistoryPoint[];
}): JSX.Element {
  const { status, points } = props;
  return (
    <section aria-labelledby="way-heading">
      <h2 id="way-heading">The path of an event</h2>
      <ol class="way">
        <li>
          <Ca status={status} />
        </li>
        <li>
          <Journal status={status} />
        </li>
        <li>
          <ul class="sinks">
            {status.sinks.map((sink) => (
              <li key={sink.name}>
                <SinkBox sink={sink} status={status} newest={points.at(-1)?.sinks[sink.name]} />
              </li>
            ))}
          </ul>
        </li>
      </ol>
    </section>
  );
}

function Row(props: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

type Mark = "ok" | "degraded" | "failing" | "idle" | "unknown";

/** The worst state of the reasons that are about one part of the way; `otherwise` if there is none. */
function markOf(
  { reasons }: Status,
  isAbout: (reason: Status["reasons"][number]) => boolean,
  otherwise: Mark,
): Mark {
  return reasons.find(isAbout)?.state ?? otherwise;
}

const writers = {
  running: ["ok", "The exit module is running."],
  stopped: ["failing", "The exit module is not running."],
  unknown: ["unknown", "Unknown whether the exit module is running."],
} as const;

/** How the CA's part of the way is, and what is said of it. */
function caState({ journal, reasons }: Status): readonly [mark: Mark, text: string] {
  const isGone = reasons.some(({ code }) => code === "writer-gone");
  if (journal?.writer === "stopped" && !isGone) return ["idle", "The CA is stopped."];
  const trouble = reasons.find(({ code }) => code === "writer-stuck" || code === "writer-degraded");
  if (trouble !== undefined) return [trouble.state, trouble.meaning];
  return writers[journal?.writer ?? "unknown"];
}

function Ca({ status }: { readonly status: Status }): JSX.Element {
  const { journal } = status;
  const [mark, text] = caState(status);
  const beat = journal?.writer === "stopped" ? undefined : journal?.writerBeat;
  return (
    <article class={`box ${mark}`} aria-label="CA">
      <h3>CA</h3>
      <p class="mark">{text}</p>
      <dl>
        <Row name="Newest event">
          {journal?.newest ? <Ago time={journal.newest.time} now={status.time} /> : "none"}
        </Row>
        {beat !== undefined && (
          <Row name="Exit module's last sign of life">
            <Ago time={beat.time} now={status.time} />
          </Row>
        )}
        <Delay name="Delay to the CA, p99" us={journal?.durations?.append.p99Us} />
        <Delay name="Delay to the CA, max" us={journal?.durations?.append.maxUs} />
      </dl>
    </article>
  );
}

function Delay(props: {
  readonly name: string;
  readonly us: number | undefined;
}): JSX.Element | null {
  const { name, us } = props;
  if (us === undefined) return null;
  return (
    <Row name={name}>
      <Figure value={us}>{formatDuration(us / 1000)}</Figure>
    </Row>
  );
}

function Journal({ status }: { readonly status: Status }): JSX.Element {
  const { journal } = status;
  if (journal === undefined) {
    return (
      <article class="box failing" aria-label="Journal">
        <h3>Journal</h3>
        <p class="mark">The journal cannot be read.</p>
      </article>
    );
  }
  const { bytes, capacityBytes, freeBytes, segments, newest } = journal;
  const share = capacityBytes > 0 ? Math.min(1, bytes / capacityBytes) : 1;
  const mark = markOf(
    status,
    ({ code, sink }) => sink === undefined && /^(journal|volume|gap|clock)-/.test(code),
    "ok",
  );
  return (
    <article class={`box ${mark}`} aria-label="Journal">
      <h3>Journal</h3>
      <p class="mark">
        <Text>{journal.directory}</Text>
      </p>
      <meter min={0} max={1} value={share} aria-label="Share of its capacity in use" />
      <dl>
        <Row name="Size">
          <Figure value={bytes}>{formatBytes(bytes)}</Figure> of{" "}
          <Figure value={capacityBytes}>{formatBytes(capacityBytes)}</Figure>
        </Row>
        <Row name="Segments">
          <Figure value={segments}>{countText(segments)}</Figure>
        </Row>
        <Row name="Free on the volume">
          <Figure value={freeBytes}>{formatBytes(freeBytes)}</Figure>
        </Row>
        {newest !== undefined && (
          <Row name="Newest record">
            <Figure value={newest.sequence}>{countText(Number(newest.sequence))}</Figure>, epoch{" "}
            {countText(newest.epochNumber)}
          </Row>
        )}
      </dl>
    </article>
  );
}

const marks: Readonly<Record<NonNullable<Sink["state"]>, Mark>> = {
  publishing: "ok",
  connecting: "degraded",
  retrying: "degraded",
  alarm: "failing",
  draining: "idle",
  stopped: "idle",
};

function SinkBox(props: {
  readonly sink: Sink;
  readonly status: Status;
  readonly newest: HistoryPoint["sinks"][string] | undefined;
}): JSX.Element {
  const { sink, status, newest } = props;
  const { backlog, counters } = sink;
  const mark = markOf(
    status,
    (reason) => reason.sink === sink.name,
    marks[sink.state ?? "stopped"],
  );
  return (
    <article class={`box ${mark}`} aria-label={`Sink ${plainText(sink.name)}`}>
      <h3>
        <Text>{sink.name}</Text> <span class="kind">{sink.kind}</span>
      </h3>
      <p class="mark">
        {sink.state ?? "unknown"}
        {sink.connected === false && ", not connected"}
      </p>
      <dl>
        <Row name="Rate">
          {newest === undefined ? (
            "not measured yet"
          ) : (
            <Figure value={newest.eventsPerSecond}>{rateText(newest.eventsPerSecond)}</Figure>
          )}
        </Row>
        {newest?.p99Seconds !== undefined && (
          <Row name="Latency, p99">
            <Figure value={newest.p99Seconds}>{formatDuration(newest.p99Seconds * 1000)}</Figure>
          </Row>
        )}
        <Row name="Backlog">
          {backlog === undefined ? "unknown" : <Backlog backlog={backlog} now={status.time} />}
        </Row>
        {counters !== undefined && (
          <Row name="Acknowledged since the start">
            <Figure value={counters.acknowledgedEvents}>
              {countOf(counters.acknowledgedEvents, "event", countText)}
            </Figure>
          </Row>
        )}
      </dl>
    </article>
  );
}

function Backlog(props: {
  readonly backlog: NonNullable<Sink["backlog"]>;
  readonly now: string;
}): JSX.Element {
  const { records, bytes, oldestTime } = props.backlog;
  const text = records === undefined ? formatBytes(bytes) : countOf(records, "record", countText);
  return (
    <>
      <Figure value={records ?? bytes}>{text}</Figure>
      {oldestTime !== undefined && (
        <>
          , oldest <Ago time={oldestTime} now={props.now} />
        </>
      )}
    </>
  );
}
