import type { CertwireEvent } from "../../events/event.ts";
import type { JournalFrame } from "../../journal/frame.ts";
import { JournalReader } from "../../journal/journal-reader.ts";
import type { JournalPosition } from "../../journal/position.ts";
import { listSegments, startOf } from "../../journal/segments.ts";
import { WholeJournal } from "../../journal/whole-journal.ts";
import { decodeFrame, type EventContext } from "../../sources/decode-frame.ts";
import { openJournalContext } from "../../sources/journal-context.ts";
import { type ChosenJournal, readConfiguredMemory } from "../chosen-journal.ts";
import { inLine, say } from "../output.ts";
import type { Show, TapSource } from "./source.ts";

/** What of a journal is shown before what comes. */
export interface TapPast {
  /** True to read the journal from its oldest record. */
  readonly isWhole: boolean;
  /** How many events at most, the newest ones. Without `isWhole` only the two newest segments are searched. */
  readonly last: number;
  /** True for the events that count. */
  readonly wants: (event: CertwireEvent) => boolean;
}

/** Follows a journal. Changes nothing in it. */
export function journalTap(chosen: ChosenJournal, past: TapPast): TapSource {
  const { directory } = chosen;
  return {
    name: `journal ${directory}`,
    follow: async (show, signal) => {
      const start = past.isWhole ? null : await recentStart(directory);
      const context = await contextAt(chosen, start);
      const end = await showPast({ directory, start, context, past, show, signal });
      await showComing({ directory, start: end, context, show, signal });
    },
  };
}

/** The start of the newest segment but one; `null` for the oldest frame. */
async function recentStart(directory: string): Promise<JournalPosition | null> {
  const segment = (await listSegments(directory)).at(-2);
  return segment ? startOf(segment) : null;
}

async function contextAt(
  { directory, config }: ChosenJournal,
  start: JournalPosition | null,
): Promise<EventContext> {
  const memory = await readConfiguredMemory(config);
  return openJournalContext(directory, { ...config?.events, detail: "full" }, memory, start);
}

interface Following {
  readonly directory: string;
  readonly start: JournalPosition | null;
  readonly context: EventContext;
  readonly show: Show;
  readonly signal: AbortSignal;
}

/** Shows what is there. Resolves to where the rest will begin. */
async function showPast({
  directory,
  start,
  context,
  past: { isWhole, last, wants },
  show,
  signal,
}: Following & { readonly past: TapPast }): Promise<JournalPosition | null> {
  const journal = new WholeJournal(directory, start);
  let position = start;
  let newest: CertwireEvent[] = [];
  try {
    for await (const frames of journal.chunks(signal)) {
      const events = frames.flatMap((frame) => eventsOf(frame, context)).filter(wants);
      position = frames.at(-1)?.position ?? position;
      if (isWhole) await show(events);
      else newest = last === 0 ? [] : [...newest, ...events].slice(-last);
    }
  } finally {
    journal.close();
  }
  await show(newest);
  return position;
}

async function showComing({ directory, start, context, show, signal }: Following): Promise<void> {
  const reader = new JournalReader({ directory, mode: "committed", position: start });
  try {
    for (;;) {
      const chunk = await reader.next(signal);
      if (chunk === null) return;
      await show(chunk.frames.flatMap((frame) => eventsOf(frame, context)));
    }
  } finally {
    reader.close();
  }
}

function eventsOf(frame: JournalFrame, context: EventContext): readonly CertwireEvent[] {
  const decoded = decodeFrame(frame, context);
  if ("events" in decoded) return decoded.events;
  const { epochNumber, sequence } = frame;
  say(`epoch ${epochNumber}, sequence ${sequence}: ${inLine(decoded.undecodable.message)}`);
  return [];
}
