import { mebibyte } from "../../src/units.ts";
import { silenceMs } from "./limits.ts";
import type { Action } from "./scenario.ts";
import type { World } from "./world.ts";

/** Something that is wrong for a while. */
export interface Fault {
  /** What it is; its first word is what it concerns. One that is the same takes the place of the one before. */
  readonly what: string;
  readonly forMs: number;
  readonly harm: () => void;
  readonly heal: () => void;
  /** How long what was lost or held up meanwhile is still waited for once it is over, in ms. Default 0. */
  readonly settleMs?: () => number;
}

/** What a quota of Kafka is called: its sink is slow, and not dead. */
export const throttled = "kafka quota";

/** The fault that an action is; `undefined` for an action that is none. */
export function faultOf(action: Action, world: World): Fault | undefined {
  return (
    ofDisk(action, world) ??
    ofKafka(action, world) ??
    ofKafkaTopic(action, world) ??
    ofRabbitMq(action, world) ??
    ofRabbitMqObjects(action, world) ??
    ofJournal(action, world)
  );
}

function ofJournal(action: Action, { journal }: World): Fault | undefined {
  if (action.do !== "late-frames") return undefined;
  const usual = { seen: 3, covered: 60 };
  const set = (lateMs: typeof usual) => () => {
    journal.lateMs = lateMs;
  };
  const late = { seen: action.ms / 10, covered: action.ms };
  return { what: "late frames", forMs: action.forMs, harm: set(late), heal: set(usual) };
}

function ofDisk(action: Action, { disk }: World): Fault | undefined {
  const fault = (what: string, forMs: number, faults: typeof disk.faults): Fault => {
    const harm = (): void => {
      disk.heal();
      disk.faults = faults;
    };
    return { what, forMs, harm, heal: () => disk.heal() };
  };
  switch (action.do) {
    case "disk-fails": {
      const { share, code, forMs } = action;
      return fault("disk fails", forMs, { failing: { share, code } });
    }
    case "disk-slow":
      return fault("disk slow", action.forMs, { slowestMs: action.slowestMs });
    case "disk-hangs":
      return fault("disk hangs", action.forMs, { hangs: true });
    case "disk-fills": {
      const before = disk.volumeBytes;
      const set = (bytes: number) => () => {
        disk.volumeBytes = bytes;
      };
      const harm = set(action.leftMegabytes * mebibyte);
      return { what: "volume small", forMs: action.forMs, harm, heal: set(before) };
    }
    default:
      return undefined;
  }
}

function ofKafka(action: Action, { kafka }: World): Fault | undefined {
  const fault = (forMs: number, faults: typeof kafka.faults): Fault => {
    const set = (next: typeof kafka.faults) => () => {
      kafka.faults = next;
    };
    const settleMs = (): number => (faults.down === "silent" ? silenceMs : 0);
    return { what: "kafka faults", forMs, harm: set(faults), heal: set({}), settleMs };
  };
  switch (action.do) {
    case "kafka-down":
      return fault(action.forMs, { down: action.how });
    case "kafka-faults": {
      const { lostAnswers, lostRequests, slowestMs } = action;
      return fault(action.forMs, { lostAnswers, lostRequests, slowestMs });
    }
    case "kafka-refuses-times":
      return fault(action.forMs, { refusesTimes: true });
    case "kafka-quota": {
      const { bytesPerSecond, forMs } = action;
      const set = (limit: number) => () => {
        kafka.bytesPerSecond = limit;
      };
      // A connection that is throttled stays so.
      const settleMs = (): number => Math.max(0, kafka.throttledUntil - kafka.scheduler.now);
      return { what: throttled, forMs, harm: set(bytesPerSecond), heal: set(Infinity), settleMs };
    }
    default:
      return undefined;
  }
}

function ofKafkaTopic(action: Action, { kafka, topic }: World): Fault | undefined {
  switch (action.do) {
    case "kafka-moves-leaders": {
      const { electionMs } = action;
      return {
        what: "kafka leaders",
        forMs: electionMs,
        harm: () => kafka.moveLeaders(topic, electionMs),
        heal: () => undefined,
      };
    }
    case "kafka-loses-replicas":
      return {
        what: "kafka replicas",
        forMs: action.forMs,
        harm: () => kafka.setInSync(topic, 1, action.late),
        heal: () => kafka.setInSync(topic, 3),
      };
    case "kafka-forbids":
      return {
        what: "kafka rights",
        forMs: action.forMs,
        harm: () => kafka.deny(topic, action.right),
        heal: () => kafka.allow(topic, action.right),
      };
    case "kafka-deletes-topic": {
      const partitions = kafka.partitions(topic);
      return {
        what: "kafka topic",
        forMs: action.forMs,
        harm: () => kafka.deleteTopic(topic),
        heal: () => kafka.createTopic(topic, Math.max(partitions, 1)),
      };
    }
    case "kafka-limits-messages":
      return {
        what: "kafka limit",
        forMs: action.forMs,
        harm: () => kafka.setMaxMessageBytes(topic, action.bytes),
        heal: () => kafka.setMaxMessageBytes(topic, 1_048_588),
      };
    default:
      return undefined;
  }
}

function ofRabbitMq(action: Action, { rabbitmq }: World): Fault | undefined {
  const fault = (forMs: number, faults: typeof rabbitmq.faults): Fault => ({
    what: "rabbitmq faults",
    forMs,
    harm: () => rabbitmq.set(faults),
    heal: () => rabbitmq.set({}),
    settleMs: () => (faults.down === "silent" || faults.isMute === true ? silenceMs : 0),
  });
  switch (action.do) {
    case "rabbitmq-down":
      return fault(action.forMs, { down: action.how });
    case "rabbitmq-faults": {
      const { lostConfirms, slowestMs, forMs } = action;
      return fault(forMs, { lostConfirms, slowestMs });
    }
    case "rabbitmq-blocks":
      return fault(action.forMs, { isBlocked: true });
    case "rabbitmq-mute":
      return fault(action.forMs, { isMute: true });
    case "rabbitmq-forbids":
      return fault(action.forMs, { isForbidden: true });
    case "rabbitmq-refuses-writes":
      return fault(action.forMs, { refusesWrites: true });
    default:
      return undefined;
  }
}

function ofRabbitMqObjects(action: Action, { rabbitmq }: World): Fault | undefined {
  switch (action.do) {
    case "rabbitmq-queue": {
      const state = (isSo: boolean) => (action.is === "down" ? { isDown: isSo } : { isFull: isSo });
      return {
        what: `rabbitmq queue ${action.is}`,
        forMs: action.forMs,
        harm: () => rabbitmq.setQueue("consumer", state(true)),
        heal: () => rabbitmq.setQueue("consumer", state(false)),
      };
    }
    case "rabbitmq-loses-majority": {
      const isLeaderless = action.losesLeader;
      return {
        what: "rabbitmq majority",
        forMs: action.forMs,
        harm: () => rabbitmq.setQueue("consumer", { isWithoutMajority: true, isLeaderless }),
        heal: () =>
          rabbitmq.setQueue("consumer", { isWithoutMajority: false, isLeaderless: false }),
      };
    }
    case "rabbitmq-deletes-exchange":
      return {
        what: "rabbitmq exchange",
        forMs: action.forMs,
        harm: () => rabbitmq.deleteExchange("events"),
        heal: () => {
          rabbitmq.declareExchange("events");
          rabbitmq.bind("consumer", "events", "#");
        },
      };
    case "rabbitmq-limits-channels":
      return {
        what: "rabbitmq channels",
        forMs: action.forMs,
        harm: () => {
          if (action.of === "user") rabbitmq.userChannels = action.channels;
          else rabbitmq.channelMax = action.channels;
          rabbitmq.dropConnections();
        },
        heal: () => {
          rabbitmq.userChannels = Infinity;
          rabbitmq.channelMax = 2047;
        },
      };
    case "rabbitmq-limits-connections":
      return {
        what: "rabbitmq connections",
        forMs: action.forMs,
        harm: () => {
          rabbitmq.maxConnections = action.connections;
          rabbitmq.dropConnections();
        },
        heal: () => {
          rabbitmq.maxConnections = Infinity;
        },
      };
    case "rabbitmq-limits-messages":
      return {
        // No event can be made as small as the least of the limits.
        what: action.bytes < 1000 ? "rabbitmq least limit" : "rabbitmq limit",
        forMs: action.forMs,
        harm: () => {
          rabbitmq.maxMessageBytes = action.bytes;
        },
        heal: () => {
          rabbitmq.maxMessageBytes = 16 * mebibyte;
        },
      };
    default:
      return undefined;
  }
}

/** What a fault concerns. */
export function subjectOf(what: string): string {
  return what.split(" ")[0] ?? "";
}

/** True for an action after which an event may come twice. */
export function mayDuplicate({ do: name }: Action): boolean {
  return name !== "record" && name !== "record-undecodable" && name !== "set-clock";
}

/** True for an action that a service has no reason to warn of. */
export function isHarmless({ do: name }: Action): boolean {
  return name === "record";
}
