import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeCause } from "../errors/describe-cause.ts";
import { mebibyte } from "../units.ts";
import { caution, type Finding, findings, skipped } from "./finding.ts";

/** An entry of the event log of Windows. */
export interface EventLogEntry {
  readonly id: number;
  /** 1 critical, 2 error, 3 warning, 4 information. */
  readonly level: number;
  /** In ms since 1970. */
  readonly timeMs: number;
  /** What stands in its text. */
  readonly texts: readonly string[];
}

/** More are not needed to say what is wrong. */
const mostEntries = 200;
/** For how long an entry is of interest, in ms. */
const recentMs = 86_400_000;

/**
 * Reads the entries of module and service of the last 24 hours by `wevtutil`, a part of Windows, the newest first. Rejects
 * with its error.
 */
export async function readEventLog(): Promise<EventLogEntry[]> {
  const program = join(
    process.env["SystemRoot"] ?? String.raw`C:\Windows`,
    "System32",
    "wevtutil.exe",
  );
  const query = `*[System[Provider[@Name='Certwire'] and TimeCreated[timediff(@SystemTime) <= ${recentMs}]]]`;
  const words = ["qe", "Application", `/q:${query}`, "/rd:true", `/c:${mostEntries}`];
  const options = {
    encoding: "buffer",
    timeout: 30_000,
    maxBuffer: 16 * mebibyte,
    windowsHide: true,
  } as const;
  const { stdout } = await promisify(execFile)(program, [...words, "/f:xml", "/uni:true"], options);
  return parseEventLog(stdout.toString("utf16le"));
}

/** The entries in what `wevtutil qe /f:xml` writes. */
export function parseEventLog(xml: string): EventLogEntry[] {
  return [...xml.matchAll(/<Event[ >].*?<\/Event>/gs)].flatMap(([event]) => {
    const id = Number(/<EventID[^>]*>(\d+)</.exec(event)?.[1]);
    const level = Number(/<Level>(\d+)</.exec(event)?.[1]);
    const timeMs = Date.parse(/<TimeCreated SystemTime=['"]([^'"]+)['"]/.exec(event)?.[1] ?? "");
    if (Number.isNaN(id) || Number.isNaN(level) || Number.isNaN(timeMs)) return [];
    const texts = [...event.matchAll(/<Data(?: [^>]*)?>([^<]*)<\/Data>/g)].map(([, text = ""]) =>
      decodeEntities(text),
    );
    return [{ id, level, timeMs, texts }];
  });
}

const entities: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
};

function decodeEntities(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi,
    (whole, hex, decimal, name) => {
      if (name !== undefined) return entities[String(name)] ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(String(hex), 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** What the entries mean: each id once, those of errors first. */
export function judgeEventLog(entries: readonly EventLogEntry[]): Finding[] {
  const bad = entries.filter(({ level }) => level >= 1 && level <= 3);
  const newest = new Map<number, EventLogEntry & { count: number }>();
  for (const entry of bad) {
    const known = newest.get(entry.id);
    if (known === undefined) newest.set(entry.id, { ...entry, count: 1 });
    else known.count += 1;
  }
  const problems = [...newest.values()]
    .toSorted((a, b) => a.level - b.level || b.timeMs - a.timeMs)
    .map(({ id, level, timeMs, texts, count }) => {
      const kind = level === 3 ? "warning" : "error";
      const times = count === 1 ? "" : `, ${count} times`;
      const time = new Date(timeMs).toISOString().slice(0, 19);
      const seen = `${kind} ${id} at ${time}Z${times}: ${texts.join("; ")}`;
      return caution(seen, `certwire explain ${id} says what it means.`, "reference/event-log.md");
    });
  const others = entries.length === 1 ? "1 entry" : `${entries.length} entries`;
  return findings("event-log", `no error and no warning, ${others}`, problems);
}

/** The finding where the log cannot be read, or there is none. */
export function skipEventLog(why: unknown): Finding[] {
  return [skipped("event-log", why instanceof Error ? describeCause(why) : String(why))];
}
