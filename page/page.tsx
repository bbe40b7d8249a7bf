import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Update } from "../src/http/live-feed.ts";
import type { HistoryPoint } from "../src/service/history.ts";
import { Charts } from "./charts.tsx";
import { DatabaseComparison } from "./comparison.tsx";
import { Losses } from "./losses.tsx";
import { Places } from "./places.tsx";
import { RecentEvents } from "./recent-events.tsx";
import { State } from "./state.tsx";
import { type Connection, follow } from "./stream.ts";
import { countText, plainText, Text, utcText } from "./text.tsx";
import { Unlock } from "./unlock.tsx";
import { Way } from "./way.tsx";

const hourMs = 3_600_000;

/** The whole page. It has no data of its own: everything comes from the stream. */
export function Page(): JSX.Element {
  const [token, setToken] = useState("");
  const [wantsNames, setWantsNames] = useState(false);
  const [connection, setConnection] = useState<Connection>({ state: "connecting" });
  const [update, setUpdate] = useState<Update>();
  const [points, setPoints] = useState<readonly HistoryPoint[]>([]);
  const isVisible = useVisibility();
  useEffect(() => {
    if (!isVisible) return undefined;
    const stop = new AbortController();
    setPoints([]);
    const updated = (next: Update): void => {
      setUpdate(next);
      setPoints((before) => lastHour([...before, ...next.history]));
    };
    void follow({ token, wantsNames, updated, changed: setConnection }, stop.signal);
    return () => stop.abort();
  }, [token, wantsNames, isVisible]);
  const { status } = update ?? {};
  const host = status?.service.host;
  useEffect(() => {
    const name = host === undefined ? "Certwire" : `Certwire on ${plainText(host)}`;
    document.title = status === undefined ? name : `${status.state} – ${name}`;
  }, [status?.state, host]);

  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header>
        <h1>Certwire {host !== undefined && <Text>{host}</Text>}</h1>
        <ConnectionState connection={connection} />
      </header>
      <main id="main" tabIndex={-1}>
        {connection.state === "locked" ? (
          <Unlock wasRefused={connection.wasRefused} unlock={setToken} />
        ) : update === undefined ? (
          <p class="waiting">{connection.state === "lost" ? "No data yet." : "Loading…"}</p>
        ) : (
          <div class={connection.state === "live" ? "sections" : "sections stale"}>
            <State status={update.status} />
            <Way status={update.status} points={points} />
            <Charts status={update.status} points={points} />
            <Places status={update.status} />
            <RecentEvents update={update} wantsNames={wantsNames} ask={setWantsNames} />
            <Losses status={update.status} />
            <DatabaseComparison status={update.status} />
          </div>
        )}
      </main>
      {status !== undefined && connection.state !== "locked" && (
        <footer>
          <p>
            Certwire {status.service.version}, process{" "}
            {status.service.pid !== undefined && countText(status.service.pid).replaceAll(",", "")}
            {status.service.startedTime !== undefined &&
              `, started ${utcText(status.service.startedTime).replace(/\.\d+/, "")}`}
            . As of <time dateTime={status.time}>{utcText(status.time).replace(/\.\d+/, "")}</time>.
          </p>
          {/* A link sends no token. */}
          {token === "" && (
            <nav aria-label="Other forms">
              <a href="/status">JSON</a> <a href="/metrics">Metrics</a>
            </nav>
          )}
        </footer>
      )}
    </>
  );
}

function ConnectionState({ connection }: { readonly connection: Connection }): JSX.Element {
  const { state } = connection;
  return (
    <p class={`connection ${state}`} role="status">
      {state === "live" && "Live"}
      {state === "connecting" && "Connecting…"}
      {state === "locked" && "Locked"}
      {state === "lost" && (
        <>
          Not live. <Text>{connection.reason}</Text>
        </>
      )}
    </p>
  );
}

function lastHour(points: readonly HistoryPoint[]): readonly HistoryPoint[] {
  const newest = points.at(-1)?.timeMs ?? 0;
  return points.filter(({ timeMs }) => timeMs > newest - hourMs);
}

/** False while nobody can see the page: it then needs no connection. */
function useVisibility(): boolean {
  const [isVisible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const changed = (): void => setVisible(!document.hidden);
    document.addEventListener("visibilitychange", changed);
    return () => document.removeEventListener("visibilitychange", changed);
  }, []);
  return isVisible;
}
