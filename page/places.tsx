import type { JSX } from "preact";
import type { Status } from "../src/health/status.ts";
import { countOf, formatBytes } from "../src/units.ts";
import { countText, Figure, plainText, Text, utcText } from "./text.tsx";

type Journal = NonNullable<Status["journal"]>;
type Sink = Status["sinks"][number];

/** Segments beyond which their borders are not drawn: they would be all that is seen. */
const maxBorders = 40;

/** The segments of the journal with every sink's place in them. */
export function Places({ status }: { readonly status: Status }): JSX.Element | null {
  const { journal, sinks } = status;
  if (journal === undefined || journal.newestSegments.length === 0) return null;
  const { newestSegments: listed } = journal;
  const total = listed.reduce((sum, { bytes }) => sum + bytes, 0);
  const older = journal.segments - listed.length;
  return (
    <section aria-labelledby="places-heading">
      <h2 id="places-heading">Journal segments and each sink's position</h2>
      <div class="panel places">
        <p class="note">
          {countOf(listed.length, "segment", countText)}, {formatBytes(total)}, the oldest on the
          left
          {older > 0 && `; ${countText(older)} older ones are not shown`}.
        </p>
        <div class="tracks" aria-hidden="true">
          {sinks.map((sink) => (
            <Track key={sink.name} sink={sink} journal={journal} total={total} />
          ))}
        </div>
        <ul class="key" aria-hidden="true">
          <li>
            <span class="swatch done" /> acknowledged
          </li>
          <li>
            <span class="swatch waiting" /> not acknowledged
          </li>
          <li>
            <span class="swatch unused" /> unused
          </li>
        </ul>
        <div class="scroll" role="region" aria-label="Places of the sinks" tabIndex={0}>
          <PlaceTable sinks={sinks} />
        </div>
        <details>
          <summary>All segments as a table</summary>
          <div class="scroll" role="region" aria-label="Segments" tabIndex={0}>
            <SegmentTable journal={journal} />
          </div>
        </details>
      </div>
    </section>
  );
}

function Track(props: {
  readonly sink: Sink;
  readonly journal: Journal;
  readonly total: number;
}): JSX.Element {
  const { sink, journal, total } = props;
  const done = bytesBefore(sink, journal);
  const waiting = Math.min(sink.backlog?.bytes ?? 0, total - done);
  const percent = (bytes: number): string => `${(100 * bytes) / Math.max(total, 1)}%`;
  const { newestSegments: listed } = journal;
  return (
    <div class="track">
      <span class="name">
        <Text>{sink.name}</Text>
      </span>
      <div class="bar">
        <span class="done" style={{ width: percent(done) }} />
        <span class="waiting" style={{ left: percent(done), width: percent(waiting) }} />
        {listed.length <= maxBorders && (
          <div class="borders">
            {listed.map(({ name, bytes }) => (
              <span key={name} style={{ flexGrow: bytes }} />
            ))}
          </div>
        )}
        {sink.checkpoint?.segment !== undefined && (
          <span class="place" style={{ left: percent(done) }} />
        )}
      </div>
    </div>
  );
}

/** Bytes of the listed segments before a sink's checkpoint. */
function bytesBefore({ checkpoint }: Sink, { newestSegments }: Journal): number {
  const { epochNumber, segment, offset } = checkpoint ?? {};
  if (epochNumber === undefined || segment === undefined || offset === undefined) return 0;
  return newestSegments.reduce((sum, each) => {
    const order = each.epochNumber - epochNumber || each.segment - segment;
    if (order > 0) return sum;
    return sum + (order < 0 ? each.bytes : Math.min(offset, each.bytes));
  }, 0);
}

function PlaceTable({ sinks }: { readonly sinks: readonly Sink[] }): JSX.Element {
  return (
    <table>
      <caption>Position of each sink</caption>
      <thead>
        <tr>
          <th scope="col">sink</th>
          <th scope="col" class="number">
            epoch
          </th>
          <th scope="col" class="number">
            segment
          </th>
          <th scope="col" class="number">
            sequence
          </th>
          <th scope="col" class="number">
            records behind
          </th>
          <th scope="col" class="number">
            bytes behind
          </th>
        </tr>
      </thead>
      <tbody>
        {sinks.map(({ name, checkpoint, backlog }) => (
          <tr key={name}>
            <th scope="row">
              <Text>{name}</Text>
            </th>
            <td class="number">{checkpoint?.epochNumber ?? "–"}</td>
            <td class="number">{checkpoint?.segment ?? "–"}</td>
            <td class="number">
              {checkpoint?.sequence === undefined ? (
                "–"
              ) : (
                <Figure value={checkpoint.sequence}>
                  {BigInt(checkpoint.sequence).toLocaleString("en")}
                </Figure>
              )}
            </td>
            <td class="number">
              {backlog?.records === undefined ? (
                "–"
              ) : (
                <Figure value={backlog.records}>{countText(backlog.records)}</Figure>
              )}
            </td>
            <td class="number">
              {backlog === undefined ? (
                "–"
              ) : (
                <Figure value={backlog.bytes}>{formatBytes(backlog.bytes)}</Figure>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function SegmentTable({ journal }: { readonly journal: Journal }): JSX.Element {
  return (
    <table>
      <caption>Segments, the newest first</caption>
      <thead>
        <tr>
          <th scope="col">file</th>
          <th scope="col" class="number">
            first sequence
          </th>
          <th scope="col">started (UTC)</th>
          <th scope="col" class="number">
            size
          </th>
        </tr>
      </thead>
      <tbody>
        {journal.newestSegments.toReversed().map(({ name, firstSequence, startedTime, bytes }) => (
          <tr key={name}>
            <th scope="row">{plainText(name)}</th>
            <td class="number">{BigInt(firstSequence).toLocaleString("en")}</td>
            <td>{utcText(startedTime).slice(0, 19)}</td>
            <td class="number">{formatBytes(bytes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
