import { describeError } from "../errors/describe-error.ts";
import { replaceFile } from "../files/replace-file.ts";
import type { Status } from "../health/status.ts";
import { RepeatedLines } from "../log/repeated-lines.ts";
import type { Observation } from "./live-status.ts";
import { type WatchStatusOptions, watchStatus } from "./watch-status.ts";

/** What is written where. */
export interface StatusFileTaskOptions extends Omit<WatchStatusOptions, "readsAtEnd"> {
  /** Path of the file (`StateLayout.status`). */
  readonly path: string;
}

/**
 * Keeps the status of the running service in a file, for `certwire status` where there is no HTTP endpoint, until the
 * signal is aborted. `intervalMs`: by default 10000. Never rejects: a file that cannot be written is logged.
 */
export async function keepStatusFile(
  { path, log, intervalMs = 10_000, ...options }: StatusFileTaskOptions,
  signal: AbortSignal,
): Promise<void> {
  // A disk that is full for a day fails 8,640 times.
  const failures = new RepeatedLines(log);
  let writing: Promise<void> | undefined;
  const write = async (status: Status): Promise<void> => {
    try {
      const text = [`${JSON.stringify(status)}\n`];
      await replaceFile(path, "private", text, { isFlushed: false });
    } catch (error) {
      failures.write("cannot write the status file", describeError(error));
    }
  };
  const take = ({ status }: Observation): void => {
    // A disk that hangs gets one write, not a queue of them.
    writing ??= write(status).finally(() => {
      writing = undefined;
    });
  };
  await watchStatus({ ...options, log, intervalMs }, take, signal);
  await writing;
  failures.close();
}
