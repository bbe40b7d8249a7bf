/** One row of the table below, which is the only place where error codes are defined. */
export interface ErrorCodeEntry {
  /** What went wrong, in one sentence; also the first line of the code's section on the reference page. */
  readonly meaning: string;
  /** True when the same step can succeed later without a change to Certwire. */
  readonly retryable: boolean;
  /** Exit code of a command that ends with this error (sysexits where one fits). */
  readonly exitCode: number;
  /** What to do about it. */
  readonly hint: string;
}

/** Every error code of Certwire. `docs/reference/errors.md` lists the same codes (tested). */
export const errorCodes = {
  CERTWIRE_USAGE: {
    meaning: "The command line is invalid.",
    retryable: false,
    exitCode: 2,
    hint: "Run the command with --help.",
  },
  CERTWIRE_CONFIG_INVALID: {
    meaning: "The configuration file has an error.",
    retryable: false,
    exitCode: 78,
    hint: "Fix the location named in the message, then run `certwire check`.",
  },
  CERTWIRE_NATIVE_MISSING: {
    meaning: "The native addon for this platform cannot be loaded.",
    retryable: false,
    exitCode: 1,
    hint: "Install the package for this platform, or run `npm run build:native` in a checkout.",
  },
  CERTWIRE_WINDOWS_ONLY: {
    meaning: "The command works on Windows only.",
    retryable: false,
    exitCode: 2,
    hint: "Run it on the machine of the CA.",
  },
  CERTWIRE_WINDOWS_ACCESS: {
    meaning: "Windows refuses this account a right that the command needs.",
    retryable: false,
    exitCode: 77,
    hint: "Run the command in a Command Prompt that was opened with `Run as administrator`.",
  },
  CERTWIRE_WINDOWS_FAILED: {
    meaning: "A call of Windows failed.",
    retryable: true,
    exitCode: 74,
    hint: "`net helpmsg NUMBER` explains the number in the message.",
  },
  CERTWIRE_SERVICE_STATE: {
    meaning: "A Windows service did not stop or start.",
    retryable: true,
    exitCode: 69,
    hint: "`sc.exe query NAME` shows its state, and the event log says why.",
  },
  CERTWIRE_CA_MISSING: {
    meaning: "This machine has no CA, or not the one that was named.",
    retryable: false,
    exitCode: 78,
    hint: "Run the command on the CA; with several CAs name one with --ca.",
  },
  CERTWIRE_CA_LIST: {
    meaning: "The CA's list of exit modules cannot be used.",
    retryable: false,
    exitCode: 78,
    hint: "Open certsrv.msc, Properties of the CA, Exit Module, and correct the list there.",
  },
  CERTWIRE_CA_MODULE: {
    meaning: "The exit module is not registered, or its DLL must not be loaded by a CA.",
    retryable: false,
    exitCode: 78,
    hint: "Install Certwire in a folder below %ProgramFiles%, and run regsvr32 on its certwire-exit.dll.",
  },
  CERTWIRE_CA_DATABASE_REFUSED: {
    meaning: "The CA does not let this account read its database.",
    retryable: false,
    exitCode: 77,
    hint: 'In certsrv.msc, Properties of the CA, Security: add the account (the service\'s is "NT SERVICE\\Certwire", with Locations set to this computer), allow Read, and clear Request Certificates. If it has Read, check that IF_NOLOCALICERTADMIN (0x20) is not set: certutil -getreg CA\\InterfaceFlags',
  },
  CERTWIRE_CA_DATABASE_FAILED: {
    meaning: "The CA's database cannot be read.",
    retryable: true,
    exitCode: 74,
    hint: "Check that the CA service runs, and that the name of the CA is the one in certsrv.msc.",
  },
  CERTWIRE_CA_DATABASE_STUCK: {
    meaning: "The CA does not answer a question about its database.",
    retryable: true,
    exitCode: 69,
    hint: "Check the CA's load, and run the command again when the CA answers certutil.",
  },
  CERTWIRE_CA_DATABASE_OTHER: {
    meaning: "Another CA answers than the one whose database is meant.",
    retryable: false,
    exitCode: 78,
    hint: "Check which CA the machine runs, and name the one that is meant.",
  },
  CERTWIRE_CA_DATABASE_RESTORED: {
    meaning: "The CA's database is older than at an earlier run: it was restored from a backup.",
    retryable: false,
    exitCode: 78,
    hint: "Run certwire reconcile --rescan: it accepts this database, and compares every row.",
  },
  CERTWIRE_SETUP_EXISTS: {
    meaning: "`certwire setup` would overwrite a file.",
    retryable: false,
    exitCode: 78,
    hint: "Edit the file that is there, or give --replace, which keeps a copy of it.",
  },
  CERTWIRE_SETUP_FAILED: {
    meaning: "`certwire setup` cannot write its files.",
    retryable: true,
    exitCode: 74,
    hint: "Check the path, this account's permissions and the free space.",
  },
  CERTWIRE_JOURNAL_UNREADABLE: {
    meaning: "The journal directory cannot be read.",
    retryable: true,
    exitCode: 74,
    hint: "Check that the directory exists and that this account may list and read it.",
  },
  CERTWIRE_CHECKPOINT_FAILED: {
    meaning: "The state directory cannot be read or written.",
    retryable: true,
    exitCode: 74,
    hint: "Check the free space and the permissions of the state directory.",
  },
  CERTWIRE_DEAD_LETTERS_FULL: {
    meaning: "The dead letters of a sink have reached their limit.",
    retryable: true,
    exitCode: 74,
    hint: "Run certwire dead-letters redrive --delete, or move the files away; publishing resumes on its own.",
  },
  CERTWIRE_DIRECTORY_IN_USE: {
    meaning: "Another process is using the directory.",
    retryable: true,
    exitCode: 75,
    hint: "Stop the process named in the message, or give each process its own directory.",
  },
  CERTWIRE_RECORD_UNDECODABLE: {
    meaning: "A journal record is not a valid exit-module record.",
    retryable: false,
    exitCode: 65,
    hint: "The record is kept in the dead-letter file, from which a later version can redrive it; report it with the version of the exit module.",
  },
  CERTWIRE_RECORD_NEWER: {
    meaning: "A journal record is of a later version than this one can read.",
    retryable: true,
    exitCode: 65,
    hint: "Update the service to the version of the exit module, or a later one; publishing then resumes with this record.",
  },
  CERTWIRE_RECORD_FAILED: {
    meaning: "A journal record could not be decoded for a reason that is not in the record.",
    retryable: true,
    exitCode: 1,
    hint: "Give the service more memory. If the message names no memory, report it: it is a fault in Certwire.",
  },
  CERTWIRE_EVENTS_UNREADABLE: {
    meaning: "An event file cannot be read.",
    retryable: false,
    exitCode: 74,
    hint: "Check the path and that this account may read the file.",
  },
  CERTWIRE_EVENTS_INVALID: {
    meaning: "A line of an event file is not an event.",
    retryable: false,
    exitCode: 65,
    hint: "Each line must be one event, as the file sink writes it.",
  },
  CERTWIRE_VERIFY_EMPTY: {
    meaning: "There are no events to verify.",
    retryable: true,
    exitCode: 65,
    hint: "Check the name of the topic, stream or file, and whether the service has published to it.",
  },
  CERTWIRE_COMPLETENESS_LIMIT: {
    meaning: "So much is missing that there is no memory to keep the places.",
    retryable: false,
    exitCode: 65,
    hint: "Verify what a sink without `only` and `except` publishes, in a topic that nobody else writes to.",
  },
  CERTWIRE_EXPORT_FAILED: {
    meaning: "The export file cannot be written.",
    retryable: false,
    exitCode: 74,
    hint: "Check the path, this account's permissions and the free space.",
  },
  CERTWIRE_OUTPUT_FAILED: {
    meaning: "Standard output cannot be written.",
    retryable: true,
    exitCode: 74,
    hint: "Check the free space and the device that standard output goes to.",
  },
  CERTWIRE_SINK_UNREACHABLE: {
    meaning: "The sink's broker or file cannot be reached.",
    retryable: true,
    exitCode: 69,
    hint: "Check the address, the network and the broker; publishing resumes on its own.",
  },
  CERTWIRE_SINK_REJECTED: {
    meaning: "The broker refused or returned an event.",
    retryable: true,
    exitCode: 69,
    hint: "Check the reason in the message: routing, limits or permissions on the broker.",
  },
  CERTWIRE_SINK_AUTH: {
    meaning: "The broker rejected this client's credentials or permissions.",
    retryable: true,
    exitCode: 77,
    hint: "Check the user, the secret file and the broker's access rules; a new password in the file is used at the next try.",
  },
  CERTWIRE_SINK_CONFIG: {
    meaning: "A sink's topic, exchange or option does not exist or does not match the broker.",
    retryable: true,
    exitCode: 78,
    hint: "Create it on the broker or fix the configuration; publishing resumes on its own.",
  },
  CERTWIRE_OPTIONAL_LIBRARY: {
    meaning: "The simulated CA or the test kit needs a package that is not installed.",
    retryable: false,
    exitCode: 78,
    hint: "Run the command that the error names, where Certwire is installed.",
  },
  CERTWIRE_TESTING_OPTIONS: {
    meaning: "A call of the test kit is invalid, or not possible for the state of the request.",
    retryable: false,
    exitCode: 2,
    hint: "Fix what the message names.",
  },
  CERTWIRE_TESTING_PUBLISH: {
    meaning: "The test kit could not publish all events.",
    retryable: true,
    exitCode: 69,
    hint: "Check that the broker runs and that the topic, exchange or queue exists; the message says what failed.",
  },
  CERTWIRE_TESTING_NO_EVENT: {
    meaning: "The event that a test expects did not come in time.",
    retryable: true,
    exitCode: 1,
    hint: "Compare what came, which the message lists, with what the test expects.",
  },
  CERTWIRE_CONSUMER_OPTIONS: {
    meaning: "An option of a consumer is invalid.",
    retryable: false,
    exitCode: 78,
    hint: "Fix the option named in the message.",
  },
  CERTWIRE_CONSUMER_UNREACHABLE: {
    meaning: "A consumer cannot reach its broker, or lost a connection that it may not make again.",
    retryable: true,
    exitCode: 69,
    hint: "Check the address, the network and the broker. A consumer that makes its own connections keeps trying.",
  },
  CERTWIRE_CONSUMER_REFUSED: {
    meaning:
      "The broker refused a consumer: its credentials, its permissions, or a topic or queue that is missing.",
    retryable: true,
    exitCode: 77,
    hint: "Fix what the message names, then start the consumer again; it continues where it was.",
  },
  CERTWIRE_MESSAGE_INVALID: {
    meaning:
      "A message is not an event of Certwire, and the consumer has no `onDeadLetter` that takes it.",
    retryable: false,
    exitCode: 65,
    hint: "Set `onDeadLetter` and keep such messages there, or find out who sends them.",
  },
  CERTWIRE_HANDLER_FAILED: {
    meaning: "A handler failed as often as `retry.limit` allows, and nothing took the event.",
    retryable: true,
    exitCode: 70,
    hint: "Fix the handler or what it needs, or set `onDeadLetter`; the event is delivered again at the next start.",
  },
  CERTWIRE_OFFSETS_FAILED: {
    meaning: "The place of a consumer in a stream cannot be read or saved.",
    retryable: true,
    exitCode: 74,
    hint: "Check the path, this account's permissions and the free space.",
  },
} as const satisfies Record<string, ErrorCodeEntry>;

/** A key of `errorCodes`; stable across versions, so scripts and alerts may match on it. */
export type ErrorCode = keyof typeof errorCodes;
