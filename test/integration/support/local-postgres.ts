import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { until } from "../../support/until.ts";
import { ManagedProcess } from "./managed-process.ts";
import { makeTempDirectory, removeTempDirectory } from "./temp-directory.ts";

/** How a client reaches the server: by a socket in its directory. */
export interface PostgresAddress {
  readonly host: string;
  readonly user: string;
  readonly database: string;
}

/** A PostgreSQL server of this machine. */
export interface LocalPostgres {
  readonly address: PostgresAddress;
  stop(): Promise<void>;
}

/** Debian keeps the programs of each version in a directory of its own. */
const versions = "/usr/lib/postgresql";

/** Starts PostgreSQL in a temporary directory, without TCP. As root it runs as the user `postgres`: it refuses root. */
export async function startLocalPostgres(): Promise<LocalPostgres> {
  const directory = makeTempDirectory("postgres");
  const data = join(directory, "data");
  const asUser =
    process.getuid?.() === 0
      ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
      : ["setpriv"];
  mkdirSync(data, { mode: 0o700 });
  if (asUser.length > 1) execFileSync("chown", ["-R", "postgres:postgres", directory]);
  const [newest = ""] = readdirSync(versions).toSorted((a, b) => Number(b) - Number(a));
  const programs = join(versions, newest, "bin");
  const initialise = [join(programs, "initdb"), "-D", data, "-U", "certwire", "-A", "trust", "-N"];
  const [setpriv = "", ...options] = asUser;
  execFileSync(setpriv, [...options, "--", ...initialise], { stdio: "pipe", cwd: directory });
  const settings = [`unix_socket_directories=${directory}`, "listen_addresses=", "fsync=off"];
  const server = [join(programs, "postgres"), "-D", data, ...settings.flatMap((s) => ["-c", s])];
  const managed = new ManagedProcess({
    name: "PostgreSQL",
    command: setpriv,
    // Again, since a change of the user undoes it.
    args: [...options, "--pdeathsig", "KILL", "--", ...server],
    cwd: directory,
    logFile: join(directory, "server.log"),
  });
  managed.start();
  const address = { host: directory, user: "certwire", database: "postgres" };
  const stop = async (): Promise<void> => {
    await managed.kill();
    removeTempDirectory(directory);
  };
  try {
    const giveUp = () => managed.assertRunning();
    await until(() => answers(address), "PostgreSQL serves", {
      mayThrow: true,
      everyMs: 50,
      giveUp,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, stop };
}

async function answers(address: PostgresAddress): Promise<boolean> {
  const client = new pg.Client(address);
  client.on("error", () => undefined);
  await client.connect();
  await client.end();
  return true;
}
