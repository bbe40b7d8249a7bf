import { requestQueueModule } from "../../../src/kafka/kafkajs-inside.ts";
import { patchRequestQueue } from "../../../src/kafka/request-queue.ts";
import type { Interceptor, ProxyConnection } from "../../integration/support/tcp-proxy.ts";
import type { Loss } from "../kafka.ts";
import { FrameSplitter } from "./frames.ts";

/** What a test needs of the requests of a connection of kafkajs (src/network/requestQueue). */
interface RequestQueue {
  readonly inflight: ReadonlyMap<number, SocketRequest>;
}

/** The class of these. */
interface RequestQueueModule {
  readonly prototype: { push: (this: RequestQueue, request: unknown) => void };
}

interface SocketRequest {
  readonly entry: { readonly apiKey: number };
  timeoutRequest(): void;
}

/** Number of the request to store records. */
const produceKey = 0;

const queues = new Set<RequestQueue>();
let isWatched = false;

/** Learns of every connection of kafkajs that sends something from now on. */
function watchRequests(): void {
  if (isWatched) return;
  isWatched = true;
  patchRequestQueue();
  const { prototype } = requestQueueModule() as RequestQueueModule;
  const { push } = prototype;
  prototype.push = function (request): void {
    queues.add(this);
    push.call(this, request);
  };
}

/** Does at once what the timer of kafkajs does when the time of a request to store records is over. */
function timeOut(): void {
  for (const { inflight } of queues) {
    for (const request of inflight.values()) {
      if (request.entry.apiKey === produceKey) request.timeoutRequest();
    }
  }
}

/** What becomes of the next requests to store records, on whatever connection of proxies. */
export class KafkaLosses {
  #losses: Loss[] = [];

  constructor() {
    watchRequests();
  }

  set(losses: readonly Loss[]): void {
    queues.clear();
    this.#losses = [...losses];
  }

  /** For `intercept` of a proxy. */
  readonly on = (connection: ProxyConnection): Interceptor => {
    const [requests, answers] = [new FrameSplitter(cutFrame), new FrameSplitter(cutFrame)];
    const lost = new Map<number, Loss>();
    return {
      fromClient: (bytes) =>
        forwarded(requests.split(bytes), (frame) => this.#passes(frame, lost, connection)),
      fromServer: (bytes) =>
        forwarded(answers.split(bytes), (frame) => isDelivered(frame, lost, connection)),
    };
  };

  /** Whether a request reaches the broker; of one whose answer will be lost, `lost` has the correlation ID. */
  #passes(frame: Buffer, lost: Map<number, Loss>, connection: ProxyConnection): boolean {
    if (frame.readInt16BE(4) !== produceKey) return true;
    const loss = this.#losses.shift();
    if (loss === undefined) return true;
    if (loss === "request-cut") connection.setMode("cut");
    if (loss === "request") timeOut();
    if (loss === "request-cut" || loss === "request") return false;
    lost.set(frame.readInt32BE(8), loss);
    return true;
  }
}

/** Whether an answer reaches the client. */
function isDelivered(frame: Buffer, lost: Map<number, Loss>, connection: ProxyConnection): boolean {
  const loss = lost.get(frame.readInt32BE(4));
  if (loss === undefined) return true;
  if (loss === "answer-cut") connection.setMode("cut");
  else timeOut();
  return loss === "answer-late";
}

function forwarded(frames: readonly Buffer[], passes: (frame: Buffer) => boolean): Buffer {
  return Buffer.concat(frames.filter((frame) => passes(frame)));
}

/** Each message of Kafka begins with its length. */
function cutFrame(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 4) return undefined;
  const length = 4 + bytes.readInt32BE(0);
  return bytes.length < length ? undefined : bytes.subarray(0, length);
}
