import type { JSX } from "preact";
import type { Status } from "../src/health/status.ts";
import { Ago, countText, Figure } from "./text.tsx";

type Comparison = NonNullable<Status["reconcile"]>;

/** The scheduled comparison with the CA's database. */
export function DatabaseComparison({ status }: { readonly status: Status }): JSX.Element | null {
  const { reconcile, time } = status;
  if (reconcile === undefined) return null;
  const { running, lastTime, rows, unlisted = 0, nextTime } = reconcile;
  return (
    <section aria-labelledby="comparison-heading">
      <h2 id="comparison-heading">Comparison with the CA's database</h2>
      <dl class="panel comparison">
        <div>
          <dt>last comparison</dt>
          <dd>
            {lastTime === undefined ? "none yet" : <Ago time={lastTime} now={time} />}
            {rows !== undefined && (
              <>
                , <Figure value={rows}>{countText(rows)}</Figure> rows
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>open findings</dt>
          <dd>
            <OpenFindings open={reconcile.open} />
            {unlisted > 0 && (
              <>
                {" "}
                and <Figure value={unlisted}>{countText(unlisted)}</Figure> more in its file
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>next comparison</dt>
          <dd>{running ? "runs now" : nextTime && <Ago time={nextTime} now={time} />}</dd>
        </div>
      </dl>
    </section>
  );
}

function OpenFindings({ open }: Pick<Comparison, "open">): JSX.Element {
  if (open === undefined) return <>not known</>;
  const counts = Object.entries(open).filter(([, count]) => count > 0);
  if (counts.length === 0) return <Figure value={0}>none</Figure>;
  return (
    <ul class="counts">
      {counts.map(([found, count]) => (
        <li key={found}>
          <Figure value={count}>{countText(count)}</Figure> {found}
        </li>
      ))}
    </ul>
  );
}
