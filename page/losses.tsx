import type { JSX } from "preact";
import type { Status } from "../src/health/status.ts";
import { formatBytes } from "../src/units.ts";
import { Ago, countText, Figure, Text } from "./text.tsx";

type Sink = Status["sinks"][number];

/** Gaps of the journal, and dead letters of every sink. */
export function Losses({ status }: { readonly status: Status }): JSX.Element {
  const newestGap = status.journal?.newestGapTime;
  return (
    <section aria-labelledby="losses-heading">
      <h2 id="losses-heading">Gaps and dead letters</h2>
      <p class="note">
        {newestGap === undefined ? (
          "No gap with lost events is known."
        ) : (
          <>
            Newest gap with lost events: <Ago time={newestGap} now={status.time} />.
          </>
        )}
      </p>
      <div class="panel scroll" role="region" aria-label="Gaps and dead letters" tabIndex={0}>
        <table>
          <caption class="hidden">Gaps that each sink has read, and its dead letters</caption>
          <thead>
            <tr>
              <th scope="col">sink</th>
              <th scope="col">gaps read since the start</th>
              <th scope="col">dead letters since the start</th>
              <th scope="col" class="number">
                dead letters on disk
              </th>
              <th scope="col" class="number">
                of their limit
              </th>
              <th scope="col">newest</th>
            </tr>
          </thead>
          <tbody>
            {status.sinks.map((sink) => (
              <Row key={sink.name} sink={sink} now={status.time} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ sink, now }: { readonly sink: Sink; readonly now: string }): JSX.Element {
  const { name, counters, deadLetters } = sink;
  return (
    <tr>
      <th scope="row">
        <Text>{name}</Text>
      </th>
      <td>
        <Counts counts={counters?.gaps} />
      </td>
      <td>
        <Counts counts={counters?.deadLetters} />
      </td>
      <td class="number">
        {deadLetters === undefined ? (
          "unknown"
        ) : (
          <Figure value={deadLetters.bytes}>{formatBytes(deadLetters.bytes)}</Figure>
        )}
      </td>
      <td class="number">
        {deadLetters === undefined ? "–" : `${(100 * deadLetters.share).toFixed(1)} %`}
      </td>
      <td>
        {deadLetters?.newestTime === undefined ? (
          "–"
        ) : (
          <Ago time={deadLetters.newestTime} now={now} />
        )}
      </td>
    </tr>
  );
}

/** Counts by reason, without those that are 0. */
function Counts(props: {
  readonly counts: Readonly<Record<string, number>> | undefined;
}): JSX.Element {
  const entries = Object.entries(props.counts ?? {}).filter(([, count]) => count > 0);
  if (entries.length === 0) return <Figure value={0}>none</Figure>;
  return (
    <ul class="counts">
      {entries.map(([reason, count]) => (
        <li key={reason}>
          <Figure value={count}>{countText(count)}</Figure> <Text>{reason}</Text>
        </li>
      ))}
    </ul>
  );
}
