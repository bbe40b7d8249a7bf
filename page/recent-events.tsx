import type { JSX } from "preact";
import type { Update } from "../src/http/live-feed.ts";
import type { RecentEvent } from "../src/service/recent-events.ts";
import { plainText, Text, utcText } from "./text.tsx";

/** The newest records of the journal. */
export function RecentEvents(props: {
  readonly update: Update;
  readonly wantsNames: boolean;
  readonly ask: (wantsNames: boolean) => void;
}): JSX.Element {
  const { recentEvents: events, hasNames } = props.update;
  const isRefused = props.wantsNames && !hasNames;
  return (
    <section aria-labelledby="events-heading">
      <div class="heading">
        <h2 id="events-heading">Latest events</h2>
        <button
          type="button"
          aria-pressed={props.wantsNames}
          aria-describedby="names-note"
          onClick={() => props.ask(!props.wantsNames)}
        >
          {props.wantsNames ? "Hide names" : "Show names"}
        </button>
      </div>
      <p class="note" id="names-note">
        {isRefused
          ? "The configuration of this service does not allow names here."
          : hasNames
            ? "With the names of requesters and subjects."
            : "Without names: the service does not send requesters and subjects."}
      </p>
      <div class="panel scroll events" role="region" aria-label="Latest events" tabIndex={0}>
        <table>
          <caption class="hidden">The newest records of the journal, the newest first</caption>
          <thead>
            <tr>
              <th scope="col">time (UTC)</th>
              <th scope="col">event</th>
              <th scope="col" class="number">
                request
              </th>
              {hasNames && <th scope="col">requester</th>}
              {hasNames && <th scope="col">subject</th>}
              <th scope="col" title="*: the requester asked for it; the CA has only its OID">
                template
              </th>
              <th scope="col">serial number</th>
              <th scope="col">details</th>
            </tr>
          </thead>
          <tbody>
            {events?.map((event) => (
              <Row key={event.id} event={event} hasNames={hasNames} />
            ))}
          </tbody>
        </table>
        {events === undefined && <p class="note">The journal cannot be read.</p>}
        {events?.length === 0 && <p class="note">The journal has no events yet.</p>}
      </div>
    </section>
  );
}

function Row(props: { readonly event: RecentEvent; readonly hasNames: boolean }): JSX.Element {
  const { time, kind, requestId, template, serialNumber, detail, names } = props.event;
  return (
    <tr>
      <td class="nowrap">
        <time dateTime={time} title={utcText(time)}>
          {time.slice(11, 23)}
        </time>
      </td>
      <td class="nowrap">
        <span class={`dot ${toneOf(kind)}`} aria-hidden="true" />
        {kind}
      </td>
      <td class="number">{requestId ?? ""}</td>
      {props.hasNames && <Cell text={names?.requester} />}
      {props.hasNames && <Cell text={names?.subject} />}
      <Cell text={template} />
      <Cell text={serialNumber} isCode />
      <Cell text={detail} />
    </tr>
  );
}

function Cell(props: {
  readonly text: string | undefined;
  readonly isCode?: boolean;
}): JSX.Element {
  if (props.text === undefined) return <td />;
  const text = <Text>{props.text}</Text>;
  return (
    <td class="limited" title={plainText(props.text)}>
      {props.isCode ? <code>{text}</code> : text}
    </td>
  );
}

function toneOf(kind: string): string {
  if (kind === "certificate.issued" || kind === "certificate.imported") return "ok";
  if (kind === "request.pending" || kind === "certificate.unrevoked") return "degraded";
  const isQuiet = /^(crl|ca)\./.test(kind) || kind === "request.retrieved";
  return isQuiet && kind !== "ca.unrecognized" ? "idle" : "failing";
}
