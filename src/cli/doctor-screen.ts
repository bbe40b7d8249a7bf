import { type Link, links } from "../doctor/checks.ts";
import type { Diagnosis } from "../doctor/examine.ts";
import type { Finding } from "../doctor/finding.ts";
import { countOf } from "../units.ts";
import { brokenLines, inLine, styled } from "./output.ts";

/** Columns of the narrowest terminal. */
const columns = 80;
/** Columns before the text of a finding: its state and its check. */
const indent = 30;

const colours = { ok: "green", warn: "yellow", error: "red", skipped: "dim" } as const;

/** What is shown of a diagnosis. */
export type DoctorResult = Pick<Diagnosis, "state" | "time" | "version" | "findings">;

/**
 * A result for people: at most 80 columns, in the order of an event's way, names and errors made safe for a terminal.
 * Without a stream it has no colours.
 */
export function doctorLines(result: DoctorResult, stream?: NodeJS.WriteStream): string[] {
  const { state, time, version, findings } = result;
  const count = (which: Finding["state"]) => findings.filter((each) => each.state === which).length;
  const counts = [
    countOf(count("error"), "error"),
    countOf(count("warn"), "warning"),
    `${count("ok")} ok`,
    `${count("skipped")} skipped`,
  ];
  const paint = (which: Finding["state"], text: string): string =>
    stream === undefined ? text : styled(stream, colours[which], text);
  const head = `${state} certwire ${inLine(version)}, ${time.slice(0, 19)}Z: ${counts.join(", ")}`;
  return [
    ...brokenLines(head, columns).map((line) => paint(state, line)),
    ...links.flatMap((link) => linkLines(link, findings, paint)),
  ];
}

function linkLines(
  link: Link,
  findings: readonly Finding[],
  paint: (state: Finding["state"], text: string) => string,
): string[] {
  const own = findings.filter((finding) => finding.link === link);
  if (own.length === 0) return [];
  const reasons = new Set(own.map(({ seen }) => seen));
  if (own.every(({ state }) => state === "skipped") && reasons.size === 1) {
    return ["", ...folded(`${link} skipped: ${inLine(own[0]?.seen ?? "")}`, "")];
  }
  return [
    "",
    link,
    ...own.flatMap((finding, index) => {
      const isNewSink = finding.sink !== undefined && finding.sink !== own[index - 1]?.sink;
      const name = isNewSink ? folded(inLine(finding.sink ?? ""), "  ") : [];
      return [...name, ...findingLines(finding, paint)];
    }),
  ];
}

function findingLines(
  { state, check, seen, hint, docs }: Finding,
  paint: (state: Finding["state"], text: string) => string,
): string[] {
  const margin = " ".repeat(indent);
  const lines = folded(inLine(seen), margin);
  const head = `  ${state.padEnd(7)}  ${check}`.padEnd(indent - 1);
  const [first = ""] = lines;
  const advice = hint === undefined ? [] : folded(`> ${inLine(hint)}`, margin);
  const page = docs === undefined || hint === undefined ? [] : folded(`docs/${docs}`, margin);
  return [
    `${paint(state, head)} ${first.slice(indent)}`.trimEnd(),
    ...lines.slice(1),
    ...advice,
    ...page,
  ];
}

/** A text in lines of at most 80 columns, each with the margin. */
function folded(text: string, margin: string): string[] {
  const lines = brokenLines(text, columns - margin.length, { cutsWords: true });
  return lines.map((line) => `${margin}${line}`.trimEnd());
}
