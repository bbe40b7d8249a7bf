import { type SiemAnswer, type SiemRequest, SiemServer } from "./siem-server.ts";

/** What `_bulk` says of a document. */
interface BulkItem {
  readonly status: number;
  readonly error?: {
    readonly type: string;
    readonly reason: string;
    readonly caused_by?: { readonly type: string; readonly reason: string };
  };
}

/** A stand-in of OpenSearch that knows nothing but `create` in `_bulk`, and takes nothing but its published format. */
export class BulkServer extends SiemServer {
  /** The documents by their ids. */
  readonly documents = new Map<string, Readonly<Record<string, unknown>>>();
  /** Documents that came again. */
  conflicts = 0;
  /** What was wrong with requests, in words. */
  readonly violations: string[] = [];
  /** The header that requests must have; `undefined` if they need none. */
  authorization: string | undefined;
  /** Says what happens to a document instead of being created. */
  itemFault: (id: string) => BulkItem | undefined = () => undefined;
  readonly #target: string;

  constructor(target: string) {
    super();
    this.#target = target;
  }

  protected answer({ method, path, headers, body }: SiemRequest): SiemAnswer {
    if (this.authorization !== undefined && headers.authorization !== this.authorization) {
      return this.#refuse(401, "security_exception", "missing authentication credentials");
    }
    const { pathname, searchParams } = new URL(path, "http://localhost");
    if (method !== "POST" || pathname !== `/${encodeURIComponent(this.#target)}/_bulk`) {
      return this.#refuse(404, "index_not_found_exception", `no such index: ${pathname}`);
    }
    if (headers["content-type"] !== "application/x-ndjson") {
      return this.#refuse(406, "media_type_header_exception", "not application/x-ndjson");
    }
    if (!body.endsWith("\n")) {
      return this.#refuse(400, "illegal_argument_exception", "must be terminated by a newline");
    }
    const lines = body.split("\n").slice(0, -1);
    const pairs = lines.flatMap((line, at) => (at % 2 === 0 ? [[line, lines[at + 1]]] : []));
    const items = pairs.map(([action = "", source = ""]) => this.#create(action, source));
    const wanted = searchParams.get("filter_path")?.split(",") ?? [];
    if (!wanted.includes("items.create.status") || !wanted.includes("error.reason")) {
      this.violations.push(`the answer would lack its items: ${wanted.join()}`);
    }
    return { status: 200, body: { items: items.map((create) => ({ create })) } };
  }

  #create(actionLine: string, sourceLine: string): BulkItem {
    const action = JSON.parse(actionLine) as { create?: { _id?: unknown } };
    const source = JSON.parse(sourceLine) as Record<string, unknown>;
    const { _id: id } = action.create ?? {};
    if (typeof id !== "string" || id === "" || Object.keys(action).length !== 1) {
      this.violations.push(`not a create with an id: ${actionLine}`);
      return { status: 400 };
    }
    if (this.documents.has(id)) {
      this.conflicts += 1;
      const reason = `[${id}]: version conflict, document already exists`;
      return { status: 409, error: { type: "version_conflict_engine_exception", reason } };
    }
    const fault = this.itemFault(id);
    if (fault !== undefined) return fault;
    this.documents.set(id, source);
    return { status: 201 };
  }

  #refuse(status: number, type: string, reason: string): SiemAnswer {
    this.violations.push(`${type}: ${reason}`);
    return { status, body: { error: { type, reason }, status } };
  }
}
