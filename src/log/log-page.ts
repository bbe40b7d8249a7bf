import type { LogMessageEntry } from "./message-entry.ts";
import { logMessages } from "./messages.ts";

const head = `# Log lines

\`certwire run\` logs JSON lines on standard error. Every line has \`level\`, \`name\` (\`certwire\`), \`time\` (UTC) and \`msg\`,
the message. Lines about one sink have its name in \`sink\`. The option [\`log.level\`](configuration.md) sets the least
severe level that is logged.

| \`level\` | name | how to treat it |
|---|---|---|
| 20 | debug | details, off by default |
| 30 | info | the life of the service: starts, stops, resumptions, progress |
| 40 | warn | unexpected, and nothing is lost: something repairs itself, or will need you soon |
| 50 | error | alert: somebody must act |

Lines about an error have \`error\` (its texts in one line), and for errors of Certwire \`code\` ([all codes](errors.md))
and \`hint\`, which says what to do. Retries are logged as warn up to nine failures in a row and as error from the tenth;
\`failures\`, where present, counts them, and \`delayMs\` is the wait until the next one.

Lines that repeat are not all written: the first one is, and then, for as long as they repeat, one after 1, 2, 4 and so on minutes, at
last one an hour, with the newest fields and the number of the lines held back in \`repeated\`. Lines count as repeats if \`msg\`,
\`level\`, \`kind\`, \`code\` and \`reason\` are the same, whatever their lane, event or delay, and their \`error\` differs in numbers only: up to 16 other
errors are each written at once; after five minutes without a repeat a line
is new again. So a broker that is down for a day takes fewer than 200 lines; the counters of \`progress\` have every event.

When the reader of standard error stops reading, lines are dropped. The next line that is written has their number in
\`droppedLines\`.

\`demo\` writes the same lines to \`service.log\` in its directory, \`replay\` writes those of warn and error to standard
error.
`;

/** What follows the table of a section. */
const tails: Partial<Record<LogMessageEntry["section"], string>> = {
  Health: `
Once in 30 s the service assesses its [health](health.md), and logs a line when a reason comes or goes.
`,
  Publishing: `
\`kind\` of a failure is \`retry-identical\` (busy, nack), \`reset\` (connection), \`config\`, \`auth\`, \`unroutable\` (no queue takes the
event) or \`poison\` (an event that can never be accepted). \`reason\` of a dead letter is \`undecodable\`, \`unencodable\`, \`rejected\` or \`unroutable\`.

### Findings about a Kafka topic

When it opens a topic, the Kafka sink warns about what puts events at risk or makes them wait. \`certwire check\` reports the same:

- \`replication factor ...: too few to survive the loss of a broker\`
- \`min.insync.replicas ...: an acknowledged event may exist on one broker only\`
- \`min.insync.replicas ... of ... replicas: publishing stops when any broker is down\`
- \`unclean.leader.election.enable: acknowledged events may be lost when a leader is elected\`
- \`cleanup.policy compact: the broker keeps only the newest event of each request and deletes the others\`
- \`retention.ms ...: the broker deletes events after ... hours\` (below 24)
- \`retention.bytes ...: the broker deletes events once a partition is larger\` (below 1 GiB)
- \`message.timestamp.after.max.ms ...: publishing stops while the clock here is further ahead\` (below one minute)
- \`message.timestamp.before.max.ms ...: publishing stops while the clock here is further back\` (below one minute)
- \`a partition has no leader, so events for this topic wait\`; those of the sink's other topics go on
- \`cannot read the topic's settings: ...\`; the client needs DescribeConfigs on the topic
- \`cannot read the topic's settings while any topic of the cluster has no leader\`; they are read once every topic has one
`,
  "The journal": `
\`reason\` of a deletion is \`passed\` (every sink has it and the replay window is over), \`space\` (every sink has it, and
space is needed) or \`cap\` (the journal is at its limit).
`,
};

const progress = `## \`progress\`

One line per sink every five minutes while it acknowledges events, makes dead letters or changes its state, else once an hour, and one at the stop. The
counters start at 0 with the service.

| field | meaning |
|---|---|
| \`sink\`, \`kind\` | name and kind of the sink |
| \`state\` | \`connecting\`, \`publishing\`, \`retrying\`, \`alarm\` (an operator must act: ten failures in a row, a failure of the kinds \`config\`, \`auth\` and \`unroutable\`, a dead letter in the last ten minutes, a checkpoint or routed kinds that cannot be written, a record that waits), \`draining\` or \`stopped\` |
| \`isConnected\` | whether the sink reaches its broker or files, as far as it has noticed |
| \`lanes\` | units of order; 0 before the sink is open |
| \`inFlightEvents\`, \`inFlightBytes\` | events between the oldest unacknowledged one and the newest read; their bytes in memory |
| \`oldestUnacknowledged\` | \`recordedtime\` of the oldest event without an acknowledgement; absent if nothing is in flight |
| \`publishedEvents\`, \`batches\` | handed to the sink, each try counted |
| \`acknowledgedEvents\`, \`acknowledgedBytes\` | acknowledged by the sink |
| \`skippedEvents\` | read, and left out because the sink does not want them ([\`only\`, \`except\`](../how-to/shape-events.md)) |
| \`failures\` | failed publishes by kind |
| \`deadLetters\` | dead letters by reason |
| \`openFailures\`, \`sourceFailures\` | failed tries to open the sink, to read the journal |
| \`gaps\` | gaps read from the journal |
| \`checkpoints\`, \`checkpointFailures\` | checkpoints written, and failed |
| \`relayouts\` | how often the lanes changed |
| \`unmarkedFrames\` | events published without proof that the disk has them, since none came within 2 s |
| \`brokenLinks\` | records that do not fit into the [hash chain](../explanation/evidence.md) of the journal: somebody has changed it |
| \`damagedRanges\` | damaged ranges of the journal, copied to [\`quarantine\`](state-directory.md#quarantine) |
`;

const tableHead = "| message | level | fields | meaning, what to do |\n|---|---|---|---|";

/** The text of docs/reference/log-lines.md. */
export function logPage(): string {
  const entries = Object.entries<LogMessageEntry>(logMessages);
  const titles = new Set(entries.map(([, { section }]) => section));
  const sections = [...titles].map((title) => {
    const rows = entries.filter(([, { section }]) => section === title).map(row);
    return `## ${title}\n\n${tableHead}\n${rows.join("\n")}\n${tails[title] ?? ""}`;
  });
  return [head, ...sections, progress].join("\n");
}

function row([message, { levels, fields, advice }]: readonly [string, LogMessageEntry]): string {
  const names =
    message === "progress"
      ? "[its own table](#progress)"
      : fields.map((each) => `\`${each}\``).join(", ");
  return `| \`${message}\` | ${levels.join(", ")} | ${names} | ${advice} |`;
}
