import { CertwireError } from "../../errors/certwire-error.ts";
import { assertText } from "../options.ts";
import type { DeduplicationStore, EventIdentity } from "./store.ts";

/** The part of the result of a query that the store uses, as `pg` gives it. */
interface PostgresResult {
  /** Rows inserted or deleted. */
  readonly rowCount: number | null;
  /** What the server says that it did, such as COMMIT. */
  readonly command: string;
}

/** The part of a client of a `pg` pool that the store uses. */
export interface PooledPostgresClient {
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  /** Gives the client back to its pool. With an error the pool closes its connection. */
  release(error?: Error | boolean): void;
}

/** The part of a `pg` pool that the store uses. */
export interface PostgresPool<C extends PooledPostgresClient = PooledPostgresClient> {
  connect(): Promise<C>;
}

/** Where the store keeps what it knows. */
export interface PostgresDeduplicationOptions<C extends PooledPostgresClient> {
  /** A pool of `pg`, or one with the same methods, with at least `concurrency` connections. */
  readonly pool: PostgresPool<C>;
  /** Name of the consumer, so that several may share a table: each handles every event once. */
  readonly consumer: string;
  /** Table with letters, digits and underscores in its name; a schema may stand before it. Default `certwire_handled`. */
  readonly table?: string;
}

/**
 * Remembers handled events in PostgreSQL, in the same transaction as the handler's own writes: each event has its
 * effect once, also when the process is killed at any moment. The handler gets the transaction as
 * `context.transaction`, and must write by it; its whole type comes from `new PostgresDeduplication<pg.PoolClient>(...)`.
 *
 * ```ts
 * const deduplication = new PostgresDeduplication({ pool, consumer: "inventory" });
 * await deduplication.createTable();
 * const consumer = new Consumer({
 *   source,
 *   deduplication,
 *   handlers: {
 *     "certificate.issued": async ({ data }, { transaction }) => {
 *       await transaction.query("INSERT INTO certificate (data) VALUES ($1)", [data]);
 *     },
 *   },
 * });
 * ```
 */
export class PostgresDeduplication<C extends PooledPostgresClient = PooledPostgresClient>
  implements DeduplicationStore<C>
{
  readonly #pool: PostgresPool<C>;
  readonly #consumer: string;
  readonly #table: string;

  /** Throws CERTWIRE_CONSUMER_OPTIONS if an option is invalid. */
  constructor({ pool, consumer, table = "certwire_handled" }: PostgresDeduplicationOptions<C>) {
    assertText("consumer", consumer);
    if (!/^\w+(\.\w+)?$/.test(table)) {
      throw new CertwireError("CERTWIRE_CONSUMER_OPTIONS", `table: "${table}" is not a name`);
    }
    this.#pool = pool;
    this.#consumer = consumer;
    this.#table = table;
  }

  /** Creates the table and its index unless they exist. */
  async createTable(): Promise<void> {
    await this.#withClient(async (client) => {
      await client.query(`CREATE TABLE IF NOT EXISTS ${this.#table} (
        consumer text NOT NULL,
        source text NOT NULL,
        id text NOT NULL,
        contentid text,
        handled_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer, source, id))`);
      const index = `${this.#table.split(".").at(-1)}_contentid`;
      await client.query(
        `CREATE INDEX IF NOT EXISTS ${index} ON ${this.#table} (consumer, source, contentid)`,
      );
    });
  }

  /** Forgets events that were handled before `time`; returns how many. Keep them as long as a broker may redeliver. */
  async forgetBefore(time: Date): Promise<number> {
    const text = `DELETE FROM ${this.#table} WHERE consumer = $1 AND handled_at < $2`;
    return this.#withClient(async (client) => {
      const { rowCount } = await client.query(text, [this.#consumer, time]);
      return rowCount ?? 0;
    });
  }

  /** Runs the effect in a transaction unless an earlier one was committed; rejects, and rolls back, if it does. */
  async once(
    { source, id, origin, contentid }: EventIdentity,
    effect: (transaction: C) => Promise<void>,
  ): Promise<boolean> {
    const text = `INSERT INTO ${this.#table} (consumer, source, id, contentid) VALUES ($1, $2, $3, $4)
      ON CONFLICT DO NOTHING`;
    const isStored = origin === "database" && contentid !== undefined;
    return this.#withClient(async (client) => {
      await client.query("BEGIN");
      // Another consumer that handles the same event at this moment is waited for here.
      const { rowCount } = await client.query(text, [this.#consumer, source, id, contentid]);
      const isNew = rowCount === 1 && !(isStored && (await this.#has(client, source, contentid)));
      if (isNew) await effect(client);
      const { command } = await client.query("COMMIT");
      // The server answers so, and without an error, when a query of the handler failed and it caught the error.
      if (command !== "COMMIT") throw new Error(`the transaction ended with ${command}`);
      return isNew;
    });
  }

  /** True if an event with this content was seen as it happened, and handled. */
  async #has(client: C, source: string, contentid: string): Promise<boolean> {
    const text = `SELECT FROM ${this.#table}
      WHERE consumer = $1 AND source = $2 AND contentid = $3 AND id NOT LIKE 'db-%' LIMIT 1`;
    const { rowCount } = await client.query(text, [this.#consumer, source, contentid]);
    return rowCount !== 0;
  }

  /** A client goes back to the pool only without an open transaction. */
  async #withClient<T>(work: (client: C) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      return await work(client);
    } catch (error) {
      await client.query("ROLLBACK").catch((failure: unknown) => {
        broken = failure instanceof Error ? failure : new Error(String(failure));
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }
}
