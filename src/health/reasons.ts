/** How well events flow: nothing to do, something to know or plan, or somebody must act now. */
export type HealthState = "ok" | "degraded" | "failing";

/** One row of the table below, which is the only place where reasons are defined. */
export interface HealthReasonEntry {
  /** What is so, in one sentence; also the first line of the reason's section on the reference page. */
  readonly meaning: string;
  /** When the state is `degraded` and when `failing`. */
  readonly when: string;
  /** What to do about it. */
  readonly hint: string;
}

/** Every reason for a state that is not `ok`. `docs/reference/health.md` is made of this table. */
export const healthReasons = {
  "service-stopped": {
    meaning: "The service does not run: no event is published.",
    when: "`failing`. Only `certwire status` can find this.",
    hint: "Start the service. If it does not stay up, the last lines of its log say why.",
  },
  "service-silent": {
    meaning: "The service runs, but has not written its status for more than a minute.",
    when: "`failing`. Only `certwire status` can find this. The other reasons are then those that journal and state directory show.",
    hint: "The service hangs, or cannot write to the state directory. Check the space and the disk; if they are in order, restart the service and report it.",
  },
  "state-unreadable": {
    meaning: "The state directory, or files of a sink in it, cannot be read.",
    when: "`failing`. With a `sink` it is about that sink's files only, and the others are known.",
    hint: "Check that this account may read the state directory; `certwire check` tries every file.",
  },
  "journal-unreadable": {
    meaning: "The journal directory, or a segment in it, cannot be read.",
    when: "`failing` while the directory cannot be listed. With a `sink`, whose reading fails: `degraded` while its first tries fail, `failing` from the tenth.",
    hint: "Check that the directory exists and that the service's account may list it and read what is in it; no other process may hold its files.",
  },
  "sink-unreachable": {
    meaning: "There is no connection to the sink's broker or files.",
    when: "`degraded` while the first tries fail, `failing` from the tenth in a row. Found without an event too: on RabbitMQ within seconds or, if the broker ends without a word, two `heartbeatSeconds`; on Kafka at the next check of its topics (`partitionCheckSeconds`).",
    hint: "Check the address, the network and the broker; publishing resumes on its own, and nothing is lost meanwhile.",
  },
  "sink-refused": {
    meaning:
      "The broker refuses the sink: credentials, rights, or a topic, exchange or option that does not fit.",
    when: "`failing` at once, since it does not end by itself.",
    hint: "Do what the error's own hint says; a new password in the secret's file is used at the next try.",
  },
  "sink-busy": {
    meaning: "The broker does not take events now: it is busy, or returned them to be sent again.",
    when: "`degraded` while the first tries fail, `failing` from the tenth in a row.",
    hint: "Check the load, the limits and the replicas of the broker; the same events are sent again.",
  },
  "sink-blocked": {
    meaning:
      "The broker has announced that it accepts nothing, as RabbitMQ does without memory or disk.",
    when: "`degraded`, after 10 minutes `failing`.",
    hint: "Free memory or disk on the broker; publishing resumes on its own.",
  },
  "lanes-changing": {
    meaning: "The sink's lanes change, and no event was acknowledged since.",
    when: "`degraded`, after the tenth change `failing`.",
    hint: "Wait until the change of partitions or channels at the broker is done; if it goes on, look for what changes them.",
  },
  "events-unroutable": {
    meaning: "No queue takes the events that the sink publishes.",
    when: "`failing` at once.",
    hint: "Bind a queue for the kind of event that the error names, or leave the kind out with `except`.",
  },
  "kind-dead-lettered": {
    meaning:
      "Every event of a kind becomes a dead letter: no event of it was acknowledged in between.",
    when: "`failing` from the third one in a row, until an event of the kind is acknowledged, or a day has passed since the newest one.",
    hint: "Fix what the broker refuses, then run `certwire dead-letters redrive`; the next event of the kind ends it.",
  },
  "dead-letters": {
    meaning: "An event became a dead letter within the last 10 minutes.",
    when: "`degraded`.",
    hint: "Run `certwire dead-letters list`, fix the cause, then run `certwire dead-letters redrive`.",
  },
  "dead-letters-near-limit": {
    meaning: "The dead letters of a sink take 80 % of their limit or more.",
    when: "`degraded`.",
    hint: "Run `certwire dead-letters redrive --delete`; at the limit the sink waits.",
  },
  "dead-letters-full": {
    meaning: "The dead letters of a sink have reached their limit: the sink waits.",
    when: "`failing`.",
    hint: "Run `certwire dead-letters redrive --delete`, or move the files away; publishing resumes on its own.",
  },
  "dead-letter-unwritable": {
    meaning: "A dead letter cannot be written: the events after it wait.",
    when: "`degraded` while the first tries fail, `failing` from the tenth.",
    hint: "Check the free space and the rights of the state directory.",
  },
  "record-waits": {
    meaning: "A record cannot be decoded or an event cannot be written now; all that follow wait.",
    when: "`failing`.",
    hint: "Do what the error's own hint says: update the service, or give it memory.",
  },
  "checkpoint-unwritable": {
    meaning: "The checkpoint cannot be written: events go on, but a restart repeats them.",
    when: "`failing`.",
    hint: "Check the free space and the rights of the state directory.",
  },
  "checkpoint-damaged": {
    meaning:
      "The checkpoint of a sink is damaged: the next start publishes the whole journal again.",
    when: "`degraded`. Only `certwire status` can find this, while the service is stopped.",
    hint: "Nothing: the events keep their ids, so that consumers recognize the duplicates.",
  },
  "routed-kinds-unwritable": {
    meaning: "It cannot be written which kinds of events the broker has routed.",
    when: "`failing`; events go on.",
    hint: "Check the free space and the rights of the state directory.",
  },
  "sink-behind": {
    meaning:
      "The oldest event that the sink has not acknowledged is older than `health.backlogSeconds`.",
    when: "`degraded`.",
    hint: "Look for another reason of the same sink first. Without one the sink is slower than the CA, or catches up.",
  },
  "journal-near-limit": {
    meaning:
      "What a sink has not published takes half of the space that the journal may have; at 85 % of it events are deleted unpublished.",
    when: "`degraded` from 50 %, `failing` from 75 %.",
    hint: "Repair the sink, or give the journal more space: `maxMegabytes`, and `MaxJournalMegabytes` of the exit module.",
  },
  "volume-nearly-full": {
    meaning:
      "The journal's volume has less free space than it should: the exit module stops recording at its limit.",
    when: "`degraded` below `minFreeMegabytes`, `failing` below the exit module's `MinFreeMegabytes`.",
    hint: "Free space on the volume of the journal, or move the journal.",
  },
  "writer-gone": {
    meaning: "The exit module does not run, and the CA has not recorded that it stopped.",
    when: "`failing`.",
    hint: "Start the CA. If it runs, it has not loaded the exit module: see the event log, source `Certwire`.",
  },
  "writer-stuck": {
    meaning: "The exit module holds the journal, but has given no sign of life for over a minute.",
    when: "`failing`. It gives one every 10 s.",
    hint: "Check the disk of the journal: the exit module waits for it. What it has in memory is lost when the CA is stopped.",
  },
  "writer-degraded": {
    meaning: "The exit module cannot write records as it should.",
    when: "`failing` while it has no space, writing or flushing fails, or it drops records; `degraded` while a flush has taken over 30 s. Its end is seen within 10 s.",
    hint: "Free space on the journal's volume, or repair the disk. Records wait in memory up to `MaxMemoryMegabytes`, then they are lost; nothing must be restarted.",
  },
  "no-events": {
    meaning: "The CA has recorded nothing for longer than `health.quietHours`.",
    when: "`degraded`.",
    hint: "Check that the CA publishes its CRLs: it records each of them. Raise `health.quietHours` if that is seldom.",
  },
  "gap-seen": {
    meaning: "The journal has a gap: events were lost, or may have been.",
    when: "`degraded` for 24 hours. A gap of the reason `unclean-stop` alone does not count. `certwire status` sees those in the newest segment of the journal only, a running service all that it has read.",
    hint: "Find the `journal.gap` event: it says why and which. Fetch what is missing from the CA's database.",
  },
  "reconcile-failed": {
    meaning: "The last scheduled comparison with the CA's database failed, or none can begin.",
    when: "`degraded` until one is complete, or can begin.",
    hint: "Do what the error's own hint says; `certwire reconcile` tries it now.",
  },
  "reconcile-overdue": {
    meaning: "No scheduled comparison with the CA's database was complete for twice its interval.",
    when: "`degraded`.",
    hint: "Check that the service runs at the time `reconcile.at`, and that `reconcile.hours` and `reconcile.share` leave enough time.",
  },
  "reconcile-findings": {
    meaning:
      "The scheduled comparison found that the journal and the CA's database do not agree about a request or CRL.",
    when: "`degraded` while a finding of the class `missing` is open, or some were too many to be published, and for 7 days after one of the class `state`, `changed` or `unknown` was found.",
    hint: "Run `certwire reconcile --full` for the list, and `certwire backfill` for what is missing; later comparisons end that. Examine the others: they may be right as they are.",
  },
  "reconcile-unpublished": {
    meaning: "Findings of the scheduled comparison have not reached a sink for an hour.",
    when: "`degraded` until it has them.",
    hint: "Do what the error says: the sink refuses them, its dead letters are at their limit, or the state directory cannot be written.",
  },
  "clock-behind": {
    meaning: "The newest record is from the future: the clock was set back, or was ahead.",
    when: "`degraded` from 5 minutes.",
    hint: "Check the time service of this machine.",
  },
  "certificate-ends": {
    meaning:
      "A certificate file of a sink ends soon, or has ended; that of the HTTP endpoint is not watched.",
    when: "`degraded` from 30 days before its end, `failing` after it.",
    hint: "Renew it, and replace the file: it is read again for each connection.",
  },
} as const satisfies Record<string, HealthReasonEntry>;

/** A key of `healthReasons`; stable across versions, so scripts and alerts may match on it. */
export type HealthCode = keyof typeof healthReasons;
