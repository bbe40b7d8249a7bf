import type { JSX } from "preact";
import type { Status } from "../src/health/status.ts";
import { For, Text } from "./text.tsx";

const headings = {
  ok: "Events flow",
  degraded: "Needs attention",
  failing: "Action needed",
};

/** The state of health with its reasons, the worst first. */
export function State({ status }: { readonly status: Status }): JSX.Element {
  const { state, reasons } = status;
  return (
    <section class={`panel state ${state}`} aria-labelledby="state-heading">
      <h2 id="state-heading">
        <span class="badge">{state}</span> {headings[state]}
      </h2>
      <p class="hidden" role="status">
        {announcement(status)}
      </p>
      {reasons.length === 0 ? (
        <p class="note">No action needed.</p>
      ) : (
        <ul class="reasons">
          {reasons.map((reason) => (
            <Reason
              key={`${reason.code} ${reason.sink ?? ""} ${reason.detail ?? ""}`}
              reason={reason}
              now={status.time}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

/** Changes only when the state or a reason does: a screen reader reads it then. */
function announcement({ state, reasons }: Status): string {
  const codes = reasons.map(({ code, sink }) => (sink === undefined ? code : `${code} of ${sink}`));
  return `State: ${[state, ...codes].join(", ")}`;
}

function Reason(props: {
  readonly reason: Status["reasons"][number];
  readonly now: string;
}): JSX.Element {
  const { code, state, sink, since, detail, meaning, hint, runbook } = props.reason;
  return (
    <li class={state}>
      <p class="reason-head">
        <span class="badge">{state}</span> <code>{code}</code>
        {sink !== undefined && (
          <>
            {" "}
            <span class="sink">
              <Text>{sink}</Text>
            </span>
          </>
        )}
        {since !== undefined && (
          <span class="since">
            <For time={since} now={props.now} />
          </span>
        )}
      </p>
      <p>{meaning}</p>
      {detail !== undefined && (
        <p class="detail">
          <Text>{detail}</Text>
        </p>
      )}
      <p class="todo">
        <strong>What to do:</strong> {hint}{" "}
        {runbook === undefined ? (
          <>
            More: <code>certwire explain {code}</code>
          </>
        ) : (
          <a href={`/runbooks/${runbook}`} target="_blank" rel="noreferrer">
            Runbook {runbook}
          </a>
        )}
      </p>
    </li>
  );
}
