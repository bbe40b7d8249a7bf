import { failure, progress } from "./fields.ts";
import { healthMessages } from "./health-messages.ts";
import type { LogMessageEntry } from "./message-entry.ts";

/** Every message of the service's log. `docs/reference/log-lines.md` is made of this table. */
export const logMessages = {
  started: {
    section: "Start and stop",
    levels: ["info"],
    fields: ["journal", "state"],
    advice: "the state directory is locked; publishing begins",
  },
  "the configuration has a problem": {
    section: "Start and stop",
    levels: ["warn"],
    fields: ["path", "line", "finding", "hint"],
    advice:
      "what `certwire check` reports about a sink without connecting: a password in clear text, a certificate that expired or is missing",
  },
  "pipeline started": {
    section: "Start and stop",
    levels: ["info"],
    fields: ["sink", "position", "checkpoint"],
    advice: "one per sink: where reading starts; `checkpoint` is `found`, `new` or `damaged`",
  },
  "sink opened": {
    section: "Start and stop",
    levels: ["info"],
    fields: ["sink", "lanes"],
    advice: "connected to the broker, or files writable",
  },
  stopping: {
    section: "Start and stop",
    levels: ["info"],
    fields: ["reason"],
    advice: "a signal, or the end of standard input",
  },
  "stopped before every event was acknowledged; the rest is published again at the next start": {
    section: "Start and stop",
    levels: ["warn"],
    fields: ["sink", "events"],
    advice:
      "the broker did not answer within 10 s, or nothing could be acknowledged before someone acts; duplicates at the next start",
  },
  "the sink did not close cleanly": {
    section: "Start and stop",
    levels: ["warn"],
    fields: ["sink", ...failure],
    advice: "a connection or file could not be closed; nothing to do",
  },
  "pipeline stopped": {
    section: "Start and stop",
    levels: ["info"],
    fields: ["sink", "acknowledgedEvents"],
    advice: "the events acknowledged since the start",
  },
  stopped: {
    section: "Start and stop",
    levels: ["info"],
    fields: [],
    advice: "the last line of a clean stop",
  },
  ...healthMessages,
  "the health is ok again": { section: "Health", levels: ["info"], fields: [], advice: "nothing" },
  progress: {
    section: "Publishing",
    levels: ["info"],
    fields: progress,
    advice: "use it for dashboards",
  },
  "cannot open the sink": {
    section: "Publishing",
    levels: ["warn", "error"],
    fields: ["sink", "failures", "delayMs", ...failure],
    advice: "follow `hint`; retried without limit, nothing is lost while the journal has space",
  },
  "the sink has no connection": {
    section: "Publishing",
    levels: ["warn", "error"],
    fields: ["sink", "kind", "failures", "delayMs", ...failure],
    advice:
      "follow `hint`; the sink connects again without limit, whether or not there is an event to publish",
  },
  "the sink is connected again": {
    section: "Publishing",
    levels: ["info"],
    fields: ["sink"],
    advice: "nothing",
  },
  "publishing failed": {
    section: "Publishing",
    levels: ["warn", "error"],
    fields: ["sink", "lane", "kind", "failures", "delayMs", ...failure],
    advice:
      "follow `hint`; retried without limit. Error at once for the kinds `config`, `auth` and `unroutable`",
  },
  "publishing resumed": {
    section: "Publishing",
    levels: ["info"],
    fields: ["sink", "lane", "failures"],
    advice: "the lane works again, after this many failures",
  },
  "dead letter written": {
    section: "Publishing",
    levels: ["error"],
    fields: ["sink", "reason", "id", ...failure],
    advice:
      "fix the cause, then [redrive the dead letters](../how-to/dead-letters.md#4-publish-them-again)",
  },
  "the letter was refused again": {
    section: "Publishing",
    levels: ["error"],
    fields: ["sink", "reason", "id", ...failure],
    advice:
      "only from `certwire dead-letters redrive`: the letter stays where it is; fix the cause and redrive again",
  },
  "cannot write a dead letter": {
    section: "Publishing",
    levels: ["warn", "error"],
    fields: ["sink", "delayMs", ...failure],
    advice:
      "check free space and rights of the state directory, and whether the dead letters have reached their limit; the events after it wait",
  },
  "the dead letters are near their limit: redrive and delete them": {
    section: "Publishing",
    levels: ["error"],
    fields: ["sink", "percent"],
    advice:
      "at 80 % of [`maxDeadLetterMegabytes`](configuration.md); at the limit the sink waits. [Redrive them](../how-to/dead-letters.md#5-delete-the-files) with `--delete`",
  },
  "a record cannot be decoded now; it waits": {
    section: "Publishing",
    levels: ["error"],
    fields: ["sink", "failures", "delayMs", ...failure],
    advice:
      "follow `hint`: update the service if the record is of a later version, or give it memory. The events after it wait too",
  },
  "the sink's lanes are changing": {
    section: "Publishing",
    levels: ["warn"],
    fields: ["sink", ...failure],
    advice:
      "the Kafka topic has another number of partitions or was created again, RabbitMQ allows fewer channels, or the broker refused an event as too large: events in flight get new lanes, and keys may move to other partitions",
  },
  "the broker allows fewer channels than lanes are configured": {
    section: "Publishing",
    levels: ["warn"],
    fields: ["sink", "lanes", "wanted"],
    advice: "RabbitMQ: `channel_max`, or `max-channels` of the user; raise it, or lower `lanes`",
  },
  "the broker accepts smaller messages only: larger events are made smaller": {
    section: "Publishing",
    levels: ["warn"],
    fields: ["sink", "maxEventBytes", "before"],
    advice:
      "RabbitMQ: `max_message_size` is below `maxEventBytes`; raise it and restart the service, or lower `maxEventBytes`",
  },
  "the queue has a delivery limit of its own": {
    section: "Publishing",
    levels: ["warn"],
    fields: ["sink", "queue"],
    advice:
      "RabbitMQ 4: the queue was declared without `deliveryLimit` before; see [delivery limits](configuration.md#delivery-limits)",
  },
  "cannot declare the topology again": {
    section: "Publishing",
    levels: ["error"],
    fields: ["sink", "error"],
    advice:
      "RabbitMQ: an event was returned, and exchange or queues could not be declared once more; the event waits until they can be, or until it finds a queue, and holds up its lane; grant the user Configure, or make `topology` say what exists",
  },
  "connection lost": {
    section: "Publishing",
    levels: ["warn", "debug"],
    fields: ["sink", "error"],
    advice: "RabbitMQ; the sink reconnects. Debug while the sink opens",
  },
  "cannot renew the access token": {
    section: "Publishing",
    levels: ["warn"],
    fields: ["sink", "leftSeconds", "error", "hint"],
    advice:
      "Kafka with tokens: the token endpoint is down, or refuses the client. The old token serves for `leftSeconds` more; follow `hint` before they are over",
  },
  "the broker has blocked the connection; publishing pauses": {
    section: "Publishing",
    levels: ["warn"],
    fields: ["sink", "reason"],
    advice: "RabbitMQ is short of memory or disk; publishing waits until it unblocks",
  },
  "the broker accepts events again": {
    section: "Publishing",
    levels: ["info"],
    fields: ["sink"],
    advice: "RabbitMQ has unblocked the connection",
  },
  "the topic accepts smaller events only; larger ones are made to fit": {
    section: "Publishing",
    levels: ["warn"],
    fields: ["sink", "topic", "maxEventBytes"],
    advice:
      "Kafka: raise `max.message.bytes` of the topic if consumers need the values that are left out; the new limit is used within `partitionCheckSeconds`",
  },
  "the topic has a problem": {
    section: "Publishing",
    levels: ["warn"],
    fields: ["sink", "topic", "finding", "hint"],
    advice: "Kafka: follow `hint`; [below](#findings-about-a-kafka-topic) are the findings",
  },
  connected: {
    section: "Publishing",
    levels: ["debug"],
    fields: ["sink", "host", "port", "version"],
    advice: "RabbitMQ",
  },
  "partition check failed": {
    section: "Publishing",
    levels: ["debug"],
    fields: ["sink", "topic", "error"],
    advice: "Kafka; tried again at the next interval",
  },
  "the Kafka client logged a line": {
    section: "Publishing",
    levels: ["debug"],
    fields: ["sink", "kafkajs", "line", "error"],
    advice: "`line` is its own message, `kafkajs` the part of the client that wrote it",
  },
  "gap in the journal": {
    section: "The journal",
    levels: ["error", "warn"],
    fields: ["sink", "id", "reason", "count", "firstSequence", "lastSequence"],
    advice:
      "events were lost, or may have been; consumers get a `journal.gap`. Warn for `unclean-stop` alone, which is not a loss. See [what is lost when](../explanation/what-is-lost-when.md)",
  },
  "cannot read events": {
    section: "The journal",
    levels: ["warn", "error"],
    fields: ["sink", "delayMs", ...failure],
    advice:
      "check that the journal directory exists and this account may list and read it, and `writer.lock` in it. Tried again every 2 s at the latest; new events are published that much later",
  },
  "the checkpoint's position is no longer in the journal": {
    section: "The journal",
    levels: ["warn"],
    fields: ["sink"],
    advice: "segments were deleted or an older copy restored; a gap follows",
  },
  "journal segment deleted": {
    section: "The journal",
    levels: ["debug"],
    fields: ["segment", "reason", "losers"],
    advice: "every sink had it",
  },
  "journal segments deleted": {
    section: "The journal",
    levels: ["debug"],
    fields: ["journalBytes"],
    advice: "the journal's size after a round of deletions",
  },
  "journal segment deleted before every sink had published it: the journal reached its size limit":
    {
      section: "The journal",
      levels: ["error"],
      fields: ["segment", "reason", "losers"],
      advice: "the sinks in `losers` lose its events: repair them, or give the journal more space",
    },
  "the journal has reached 80 % of its maximum size: a sink is far behind, or the replay window is too long":
    {
      section: "The journal",
      levels: ["warn"],
      fields: ["journalBytes", "maxBytes"],
      advice:
        "at 85 % segments are deleted: repair the sink, raise the limits or shorten `replayWindowDays`",
    },
  "the journal's volume is nearly full: the exit module will soon stop recording": {
    section: "The journal",
    levels: ["warn"],
    fields: ["freeBytes", "minFreeBytes"],
    advice: "free space on the volume of the journal",
  },
  "the journal's volume has less space than the journal needs to keep going": {
    section: "The journal",
    levels: ["warn"],
    fields: ["capacity", "leastBytes", "minFreeBytes"],
    advice:
      "the journal and the free space above `minFreeBytes` are together less than 64 MiB: free space, lower `MinFreeMegabytes`, or move the journal",
  },
  "the exit module's journal limits are stricter than the configuration's; the stricter limits apply":
    {
      section: "The journal",
      levels: ["warn"],
      fields: ["maxBytes", "minFreeBytes"],
      advice:
        "raise [`MaxJournalMegabytes`](exit-module-settings.md) too, or lower the configuration's limits",
    },
  "cannot delete a journal segment; the next round tries again": {
    section: "The journal",
    levels: ["warn"],
    fields: ["segment", ...failure],
    advice: "another program has it open; tried again every minute. If it stays, check the rights",
  },
  "cannot check the journal for segments to delete": {
    section: "The journal",
    levels: ["warn"],
    fields: failure,
    advice: "check rights and existence of the journal directory; tried again every minute",
  },
  "comparing the CA's database with the journal": {
    section: "The CA's database",
    levels: ["info"],
    fields: [],
    advice: "the time of the section `reconcile` has come",
  },
  "the CA's database was compared with the journal": {
    section: "The CA's database",
    levels: ["info"],
    fields: ["rows", "opened", "resolved", "unlisted", "dropped"],
    advice:
      "each finding that is new (`opened`) or gone (`resolved`) becomes an event; `unlisted` ones are too many, and wait; `dropped` reports, of findings that are gone, a sink that was down for long will not get",
  },
  "cannot compare the CA's database with the journal": {
    section: "The CA's database",
    levels: ["warn"],
    fields: failure,
    advice:
      "do what `hint` says; tried again at the next time of the section `reconcile`, or after 10 minutes if the state directory cannot be read",
  },
  "the comparison waits for another one": {
    section: "The CA's database",
    levels: ["info"],
    fields: failure,
    advice: "`certwire reconcile` or `certwire backfill` runs; tried again every 10 minutes",
  },
  "the CA's database is busy; it is read again later": {
    section: "The CA's database",
    levels: ["info"],
    fields: ["delayMs", ...failure],
    advice: "the CA is busy or restarts",
  },
  "cannot publish findings": {
    section: "The CA's database",
    levels: ["warn"],
    fields: ["sink", ...failure],
    advice:
      "check free space and rights of the [state directory](state-directory.md); tried again after a minute",
  },
  "the checkpoint is damaged: publishing restarts from the oldest record": {
    section: "The state directory",
    levels: ["warn"],
    fields: ["sink"],
    advice: "nothing; consumers get everything in the journal again, with the same ids",
  },
  "cannot write the checkpoint": {
    section: "The state directory",
    levels: ["error"],
    fields: ["sink", ...failure],
    advice:
      "check free space and rights of the [state directory](state-directory.md); a restart repeats events",
  },
  "cannot read which kinds of events were routed": {
    section: "The state directory",
    levels: ["warn"],
    fields: ["sink", ...failure],
    advice:
      "[the file](state-directory.md#routed-kinds) is damaged, or this account may not read it; it is written again. Until then an event that RabbitMQ cannot route becomes a dead letter after `deadLetterAfterSeconds`",
  },
  "cannot write which kinds of events were routed": {
    section: "The state directory",
    levels: ["error"],
    fields: ["sink", "failures", "delayMs", ...failure],
    advice:
      "check free space and rights of the state directory; tried again without limit, and events go on. A service that starts while a queue's node is down may make dead letters",
  },
  "cannot write the id of the CA to disk": {
    section: "The state directory",
    levels: ["error"],
    fields: failure,
    advice: "as above; events go on, but a restart may give some gaps another `source`",
  },
  "cannot move a checkpoint to the next segment": {
    section: "The state directory",
    levels: ["debug"],
    fields: failure,
    advice: "tried again every minute",
  },
  "cannot write to the event log of Windows": {
    section: "The event log",
    levels: ["warn"],
    fields: ["error"],
    advice:
      "check that the service Windows Event Log runs; logged once until an entry is written again; up to 16 entries wait and are tried again once a minute, further ones are reported later or dropped",
  },
} as const satisfies Record<string, LogMessageEntry>;
