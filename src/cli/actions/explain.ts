import { readFileSync } from "node:fs";
import { join } from "node:path";
import { didYouMean } from "../../config/did-you-mean.ts";
import { type CheckName, doctorChecks } from "../../doctor/checks.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { type ErrorCodeEntry, errorCodes } from "../../errors/codes.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { alerts } from "../../health/alerts.ts";
import { type HealthReasonEntry, healthReasons } from "../../health/reasons.ts";
import { packageRoot } from "../../native/package-root.ts";
import { alignRows } from "../output.ts";
import { plainText, sectionsOf, wrapped } from "../page-text.ts";

/** `certwire explain`: what a code means. */
export function explain(code: string | undefined): void {
  const text = code === undefined ? listOfAll() : explanationOf(code);
  standardOutput().post(`${text}\n`);
}

const errors: Readonly<Record<string, ErrorCodeEntry>> = errorCodes;
const reasons: Readonly<Record<string, HealthReasonEntry>> = healthReasons;
const codes = Object.keys(errors);
const alertNames = Object.keys(alerts);
const checks = Object.keys(doctorChecks) as CheckName[];

function explanationOf(code: string): string {
  const name = code.toUpperCase();
  const known = codes.find((each) => each === name || each === `CERTWIRE_${name}`);
  const entry = known && errors[known];
  if (entry) return errorText(known, entry);
  const lower = code.toLowerCase();
  const reason = Object.hasOwn(reasons, lower) && reasons[lower];
  if (reason) return reasonText(lower, reason);
  const alert = alertNames.find((each) => each.toUpperCase() === name);
  if (alert !== undefined) return runbook(alert);
  const check = checks.find((each) => each === lower);
  if (check !== undefined) return checkText(check);
  const section = eventLogSections().find(({ id }) => id === code);
  if (section) return `Event-log entry ${section.title}\n\n${section.text}`;
  const near = didYouMean(code, [...codes, ...Object.keys(reasons), ...alertNames, ...checks]);
  throw new CertwireError("CERTWIRE_USAGE", `there is no code "${code}"`, {
    hint: near ? `Did you mean ${near}?` : "`certwire explain` lists every code.",
  });
}

function reasonText(code: string, { meaning, when, hint }: HealthReasonEntry): string {
  const state = `State: ${when}`.replaceAll("`", "");
  return [code, wrapped(meaning), wrapped(state), wrapped(hint)].join("\n\n");
}

/** The page of an alert. */
function runbook(name: string): string {
  const path = join(packageRoot(), "docs", "how-to", "runbooks", `${name}.md`);
  return plainText(readFileSync(path, "utf8").replaceAll(/^#+ /gm, "").trim());
}

function errorText(code: string, { meaning, hint, retryable, exitCode }: ErrorCodeEntry): string {
  const retries = retryable
    ? "It goes away once its cause is removed; the service keeps trying."
    : "Trying again does not help.";
  return [code, wrapped(meaning), wrapped(hint), `${retries} Exit code: ${exitCode}.`].join("\n\n");
}

function checkText(check: CheckName): string {
  const { link, question } = doctorChecks[check];
  const advice =
    "`certwire doctor` answers it, with what to do; docs/how-to/doctor.md has the notes.";
  return [`Check ${check}, of the link ${link}`, plainText(question), plainText(advice)].join(
    "\n\n",
  );
}

function listOfAll(): string {
  return [
    ...alignRows(Object.entries(errors).map(([code, { meaning }]) => [code, meaning])),
    "",
    "Reasons of the state of health:",
    ...alignRows(Object.entries(reasons).map(([code, { meaning }]) => [code, meaning])),
    "",
    "Alerts:",
    ...alertNames,
    "",
    "Entries of the Windows event log, source Certwire:",
    ...alignRows(eventLogSections().map(({ id, name }) => [id.padStart(3), name])),
    "",
    "Checks of certwire doctor:",
    ...alignRows(checks.map((check) => [check, doctorChecks[check].question])),
  ].join("\n");
}

/** The sections of the page about the event log, which has one for each entry. */
function eventLogSections() {
  const path = join(packageRoot(), "docs", "reference", "event-log.md");
  return sectionsOf(readFileSync(path, "utf8")).flatMap(({ title, text }) => {
    const [, id, name] = /^(\d+): (.*)$/.exec(title) ?? [];
    return id === undefined || name === undefined ? [] : [{ id, name, title, text }];
  });
}
