import { type Command, InvalidArgumentError } from "commander";
import { didYouMean } from "../config/did-you-mean.ts";
import { eventKinds } from "../events/event.ts";
import type { Selection } from "../events/selection.ts";
import { parseCount, parseTime } from "./arguments.ts";

/** Options that choose events by what they are about. */
export interface SubjectOptions {
  readonly requestId?: readonly string[];
  readonly kind?: readonly string[];
}

/** Options that choose events; without any, all of them. */
export interface SelectionOptions extends SubjectOptions {
  readonly from?: Date;
  readonly to?: Date;
}

/** Adds the options that choose events to a command. */
export function addSelectionOptions(command: Command): Command {
  return addSubjectOptions(
    command
      .option("--from <time>", "events at or after this time", parseTime)
      .option("--to <time>", "events before this time", parseTime),
  );
}

/** Adds those of the options that choose events by what they are about. */
export function addSubjectOptions(command: Command): Command {
  return command
    .option("--request-id <number>", "events of this request; may be repeated", collectId)
    .option("--kind <kind>", "events of this kind; may be repeated", collectKind);
}

/** What the options choose. */
export function selectionOf({ from, to, ...subject }: SelectionOptions): Selection {
  return { from, to, ...subjectOf(subject) };
}

/** What the options choose by what events are about. */
export function subjectOf({ requestId, kind }: SubjectOptions): Selection {
  return { requestIds: requestId, types: kind };
}

function collectId(text: string, previous: readonly string[] = []): string[] {
  return [...previous, String(parseCount(text))];
}

function collectKind(text: string, previous: readonly string[] = []): string[] {
  const isKnown = eventKinds.some((kind) => text === kind || text.endsWith(`${kind}.v1`));
  if (isKnown) return [...previous, text];
  const near = didYouMean(text, eventKinds);
  throw new InvalidArgumentError(
    near === undefined ? `Kinds: ${eventKinds.join(", ")}.` : `Did you mean "${near}"?`,
  );
}
