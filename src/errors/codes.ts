/** What an error code stands for; the table below is the only place where codes are made. */
export interface ErrorCodeEntry {
  /** One line for people, also the first line of the reference page. */
  readonly meaning: string;
  /** True when trying again without a change can help. */
  readonly retryable: boolean;
  /** Exit code of a command that ends with this error (sysexits where one fits). */
  readonly exitCode: number;
  /** What to do about it. */
  readonly hint: string;
}

/** Every error code of Certwire. `docs/reference/errors.md` lists the same codes (tested). */
export const errorCodes = {
  CERTWIRE_USAGE: {
    meaning: "The command line is not understood.",
    retryable: false,
    exitCode: 2,
    hint: "Run the command with --help.",
  },
  CERTWIRE_CONFIG_INVALID: {
    meaning: "The configuration file has an error.",
    retryable: false,
    exitCode: 78,
    hint: "Mend the place that the message names, then run `certwire check`.",
  },
  CERTWIRE_NATIVE_MISSING: {
    meaning: "The native addon for this platform cannot be loaded.",
    retryable: false,
    exitCode: 1,
    hint: "Install the package for this platform, or run `npm run build:native` in a checkout.",
  },
  CERTWIRE_JOURNAL_UNREADABLE: {
    meaning: "The journal directory cannot be read.",
    retryable: true,
    exitCode: 74,
    hint: "Check that the directory exists and that this account may list and read it.",
  },
  CERTWIRE_CHECKPOINT_FAILED: {
    meaning: "A checkpoint cannot be written.",
    retryable: true,
    exitCode: 74,
    hint: "Check free space and rights of the state directory.",
  },
  CERTWIRE_DIRECTORY_IN_USE: {
    meaning: "Another process writes into the directory.",
    retryable: true,
    exitCode: 75,
    hint: "Stop the process that the message names, or give each a directory of its own.",
  },
  CERTWIRE_RECORD_UNDECODABLE: {
    meaning: "A journal record is not a valid exit-module record.",
    retryable: false,
    exitCode: 65,
    hint: "The record is kept in the dead-letter file, which certwire replay decodes again; report it with the version of the exit module.",
  },
  CERTWIRE_EVENTS_UNREADABLE: {
    meaning: "A file of events cannot be read.",
    retryable: false,
    exitCode: 74,
    hint: "Check the path, and that this account may read the file.",
  },
  CERTWIRE_EVENTS_INVALID: {
    meaning: "A line of a file of events is not an event.",
    retryable: false,
    exitCode: 65,
    hint: "Each line must be one event, as the file sink writes it, or one dead letter.",
  },
  CERTWIRE_EXPORT_FAILED: {
    meaning: "The file of an export cannot be written.",
    retryable: false,
    exitCode: 74,
    hint: "Check the path, the rights of this account and the free space.",
  },
  CERTWIRE_SINK_UNREACHABLE: {
    meaning: "The sink's broker or file cannot be reached.",
    retryable: true,
    exitCode: 69,
    hint: "Check the address, the network and the broker; publishing goes on by itself afterwards.",
  },
  CERTWIRE_SINK_REJECTED: {
    meaning: "The broker refused or returned an event.",
    retryable: true,
    exitCode: 69,
    hint: "Look at the reason in the message: routing, limits or rights on the broker.",
  },
  CERTWIRE_SINK_AUTH: {
    meaning: "The broker refused the credentials or the rights of this client.",
    retryable: true,
    exitCode: 77,
    hint: "Check user, secret file and the broker's access rules.",
  },
  CERTWIRE_SINK_CONFIG: {
    meaning: "The topic, exchange or option of a sink does not exist or does not fit.",
    retryable: true,
    exitCode: 78,
    hint: "Create it on the broker or mend the configuration; publishing goes on by itself afterwards.",
  },
} as const satisfies Record<string, ErrorCodeEntry>;

/** Code of an error of Certwire. */
export type ErrorCode = keyof typeof errorCodes;
