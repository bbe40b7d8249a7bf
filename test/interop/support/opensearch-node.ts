import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "../../integration/support/free-ports.ts";
import { ManagedProcess } from "../../integration/support/managed-process.ts";
import { repoRoot } from "../../integration/support/repo-root.ts";
import {
  makeTempDirectory,
  removeTempDirectory,
} from "../../integration/support/temp-directory.ts";
import { until } from "../../support/until.ts";

/** An OpenSearch node of its own cluster on 127.0.0.1, with the jars of `scripts/fetch-kafka.sh opensearch`. */
export class OpenSearchNode {
  readonly url: string;
  readonly #directory: string;
  readonly #process: ManagedProcess;

  private constructor(directory: string, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#directory = directory;
    const program = join(repoRoot, "test", "interop", "opensearch", "OpenSearchNode.java");
    this.#process = new ManagedProcess({
      name: "OpenSearch",
      command: "java",
      args: [
        "-Xmx512m",
        "-Dopensearch.set.netty.runtime.available.processors=false",
        "-cp",
        join(repoRoot, "var", "opensearch-libs", "*"),
        program,
        directory,
        String(port),
      ],
      cwd: directory,
      logFile: join(directory, "node.log"),
    });
  }

  /** Starts a node without data and waits until it serves. */
  static async start(): Promise<OpenSearchNode> {
    const directory = makeTempDirectory("opensearch");
    mkdirSync(join(directory, "config"));
    const [port = 0] = await freePorts(1);
    const node = new OpenSearchNode(directory, port);
    await node.restart();
    return node;
  }

  /** Ends the node with SIGKILL; its data stay. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Starts a node that was killed, and waits until it serves. */
  async restart(): Promise<void> {
    this.#process.start();
    const health = `${this.url}/_cluster/health?wait_for_status=yellow&timeout=1s`;
    await until(async () => (await fetch(health)).ok, "OpenSearch serves", {
      withinMs: 600_000,
      mayThrow: true,
      everyMs: 200,
      giveUp: () => this.#process.assertRunning(),
    });
  }

  /** Ends the node and removes its data. */
  async stop(): Promise<void> {
    await this.kill();
    removeTempDirectory(this.#directory);
  }

  /** The answer to a request; fails with what the node says if it is an error. */
  async ask<T>(path: string, { method = "GET", body }: AskOptions = {}): Promise<T> {
    const headers = { "content-type": typeof body === "string" ? ndjson : "application/json" };
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const request = body === undefined ? { method } : { method, headers, body: text };
    const response = await fetch(`${this.url}${path}`, request);
    const answer = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${answer}`);
    return JSON.parse(answer) as T;
  }

  /** The version that runs. */
  async version(): Promise<string> {
    return (await this.ask<{ version: { number: string } }>("/")).version.number;
  }

  /** Creates documents by `_bulk`, which are found at once; returns what was refused. */
  async create(target: string, documents: ReadonlyMap<string, object>): Promise<BulkItem[]> {
    const lines = [...documents].map(
      ([id, source]) =>
        `${JSON.stringify({ create: { _id: id } })}\n${JSON.stringify(source)}\n`,
    );
    const path = `/${target}/_bulk?refresh=true`;
    const { items } = await this.ask<{ items: { create: BulkItem }[] }>(path, {
      method: "POST",
      body: lines.join(""),
    });
    assert.equal(items.length, documents.size);
    return items.map(({ create }) => create).filter(({ status }) => status !== 201);
  }

  /** Documents that a query finds. */
  async count(target: string, query = "*"): Promise<number> {
    const path = `/${target}/_count?q=${encodeURIComponent(query)}`;
    return (await this.ask<{ count: number }>(path)).count;
  }
}

const ndjson = "application/x-ndjson";

/** A request: text is sent as lines of JSON, anything else as JSON. */
interface AskOptions {
  readonly method?: string;
  readonly body?: object | string;
}

/** What `_bulk` says of one document. */
export interface BulkItem {
  readonly _id: string;
  readonly status: number;
  readonly error?: object;
}
