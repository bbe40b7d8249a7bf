import { queueDown } from "../../amqp/queue-down.ts";
import { auth, broken, config, type FailureClass, hintedBy } from "../failure-class.ts";

/** What one text of a reply means, where the code alone does not say it. */
interface ReplyCase {
  /** Matches the broker's text. */
  readonly text: RegExp;
  /** What the text says, for the reference page. */
  readonly about: string;
  readonly failure: FailureClass;
}

/** What a reply code means for the pipeline, and whose condition it is. */
export interface ReplyCode {
  /** Name in the AMQP specification. */
  readonly name: string;
  /** When RabbitMQ sends it to a publisher. */
  readonly meaning: string;
  /** What has to change before the event can be accepted. */
  readonly condition: string;
  readonly failure: FailureClass;
  /** Texts with a class of their own; the first match applies. */
  readonly cases?: readonly ReplyCase[];
}

const rejected = "CERTWIRE_SINK_REJECTED";

/** The same bytes are refused each time, by every setting: the event becomes a dead letter. */
function poison(hint: string): FailureClass {
  return { kind: "poison", code: rejected, hint };
}

const bindHint = "Bind a queue or stream to the exchange for this routing key.";
const bugHint = "Report it with the broker's version and its log; publishing continues.";

/** The event is above the broker's `max_message_size`. */
const tooLarge = hintedBy(
  config,
  "Raise max_message_size in the broker's rabbitmq.conf, or lower the sink's maxEventBytes.",
);

const vhostMissing = hintedBy(
  config,
  "Create the vhost on the broker, or correct the one in the URL: amqp://host/vhost.",
);

/**
 * Every reply code of AMQP 0-9-1. `docs/reference/broker-errors.md` is generated from this table. A condition of
 * the broker is retried without limit; only what no setting of a broker would accept is `poison`.
 */
export const replyCodes: Readonly<Record<number, ReplyCode>> = {
  200: {
    name: "reply-success",
    meaning: "The broker closes the connection and names no error.",
    condition: "the broker",
    failure: broken,
  },
  311: {
    name: "content-too-large",
    meaning: "The message is larger than the broker accepts.",
    condition: "a limit of the broker; larger events are made smaller",
    failure: tooLarge,
  },
  312: {
    name: "no-route",
    meaning: "The broker returns an event because no queue of the exchange takes it.",
    condition: "a binding, or a queue whose node is down",
    failure: { kind: "unroutable", code: rejected, hint: bindHint },
  },
  313: {
    name: "no-consumers",
    meaning: "The broker returns an event because no consumer is ready. RabbitMQ never sends it.",
    condition: "the consumers",
    failure: { kind: "unroutable", code: rejected, hint: bindHint },
  },
  320: {
    name: "connection-forced",
    meaning: "An operator or a shutdown of the broker closes the connection.",
    condition: "the broker",
    failure: hintedBy(broken, "The broker closed the connection; publishing resumes on its own."),
    cases: [
      { text: /vhost .* is deleted/i, about: "the vhost was deleted", failure: vhostMissing },
    ],
  },
  402: {
    name: "invalid-path",
    meaning: "The vhost does not exist. RabbitMQ sends 530 instead.",
    condition: "the vhost",
    failure: vhostMissing,
  },
  403: {
    name: "access-refused",
    meaning: "The broker refuses the login, or the user may not use the exchange or a queue.",
    condition: "the password or the user's permissions",
    failure: hintedBy(
      auth,
      "Grant the user the permissions: write on the exchange; with `topology` also configure and read.",
    ),
    cases: [
      {
        text: /login was refused/i,
        about: "user or password is wrong, or the user may not log in from here",
        failure: hintedBy(auth, "Check the user in the URL, the secret file and the broker's log."),
      },
    ],
  },
  404: {
    name: "not-found",
    meaning: "The exchange, or the dead-letter exchange of a queue, does not exist.",
    condition: "the exchange",
    failure: hintedBy(
      config,
      "Create the exchange on the broker, correct its name, or let `topology` declare it.",
    ),
    cases: [
      {
        text: queueDown,
        about: "a node of the cluster is down",
        failure: hintedBy(broken, "Start the node of the cluster that has the queue."),
      },
    ],
  },
  405: {
    name: "resource-locked",
    meaning: "A queue of the topology is exclusive to another connection.",
    condition: "the queue",
    failure: hintedBy(config, "Delete the exclusive queue, or choose another name in `topology`."),
  },
  406: {
    name: "precondition-failed",
    meaning: "Something on the broker differs from what the sink asks for.",
    condition: "the broker's settings, queues and exchanges",
    failure: hintedBy(config, "Compare the broker's text with the configuration of the sink."),
    cases: [
      {
        text: /message size \d+ is larger than/i,
        about: "the event is above `max_message_size`; larger events are made smaller",
        failure: tooLarge,
      },
      {
        text: /inequivalent arg/i,
        about: "an exchange or queue of the topology exists with other arguments",
        failure: hintedBy(
          config,
          "Make `topology` say what exists, choose another name, or delete what exists once it is empty.",
        ),
      },
    ],
  },
  501: {
    name: "frame-error",
    meaning:
      "The broker cannot read a frame. If that is so for one event alone, its bytes are not a frame for any broker.",
    condition: "the event",
    failure: poison(bugHint),
    cases: [
      {
        text: /frame_too_large|frame size/i,
        about: "the headers of the event are larger than a frame (`frame_max`)",
        failure: hintedBy(config, "Raise frame_max on the broker, or use structured mode."),
      },
    ],
  },
  502: {
    name: "syntax-error",
    meaning:
      "The broker cannot decode a field. If that is so for one event alone, no setting makes its bytes valid.",
    condition: "the event",
    failure: poison(bugHint),
  },
  503: {
    name: "command-invalid",
    meaning: "The broker does not expect the command in the state of the connection.",
    condition: "the connection",
    failure: hintedBy(broken, bugHint),
  },
  504: {
    name: "channel-error",
    meaning: "The channel is not open, or is open already.",
    condition: "the connection",
    failure: hintedBy(broken, bugHint),
  },
  505: {
    name: "unexpected-frame",
    meaning:
      "A frame comes out of order. If that is so for one event alone, its content contradicts its own header.",
    condition: "the event",
    failure: poison(bugHint),
  },
  506: {
    name: "resource-error",
    meaning: "The broker is short of something, such as the nodes for a queue's majority.",
    condition: "the broker's resources",
    failure: hintedBy(
      broken,
      "Check memory, disk and nodes of the broker; publishing resumes on its own.",
    ),
  },
  530: {
    name: "not-allowed",
    meaning: "The broker does not allow the connection, the vhost or another channel.",
    condition: "the broker's settings",
    failure: hintedBy(config, "Read the broker's text; its log says more."),
    cases: [
      {
        text: /vhost .* not found/i,
        about: "the vhost does not exist",
        failure: vhostMissing,
      },
      {
        text: /connection limit .*is reached/i,
        about: "the vhost, the user or the node has its maximum of connections",
        failure: hintedBy(
          config,
          "Raise the connection limit of the vhost, the user or the node, or close other connections.",
        ),
      },
      {
        text: /access to vhost .* refused/i,
        about: "the user has no right on the vhost",
        failure: hintedBy(auth, "Grant it: rabbitmqctl set_permissions -p VHOST USER '' '.*' ''."),
      },
      {
        text: /channels .*reached the maximum allowed/i,
        about: "the user has its maximum of channels; the sink uses fewer lanes",
        failure: hintedBy(config, "Raise max-channels of the user, or lower `lanes`."),
      },
    ],
  },
  540: {
    name: "not-implemented",
    meaning: "The broker does not know what is asked for, such as streams.",
    condition: "the broker's version and feature flags",
    failure: hintedBy(config, "Enable the feature flag, upgrade the broker, or change `topology`."),
  },
  541: {
    name: "internal-error",
    meaning: "The broker has a fault of its own.",
    condition: "the broker",
    failure: hintedBy(broken, "The broker's log says what failed; publishing resumes on its own."),
    cases: [
      {
        text: /vhost .*is down/i,
        about: "the vhost is down",
        failure: hintedBy(config, "Start the vhost: rabbitmqctl restart_vhost --vhost VHOST."),
      },
    ],
  },
};

/** The failure that a reply stands for; a code that AMQP does not define is a broken connection. */
export function failureOfReply(code: number, text: string): FailureClass {
  const reply = replyCodes[code];
  if (reply === undefined) return broken;
  return reply.cases?.find((each) => each.text.test(text))?.failure ?? reply.failure;
}
