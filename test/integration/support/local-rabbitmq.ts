import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../support/until.ts";
import type { RabbitmqCluster, RabbitmqOptions } from "./broker-provider.ts";
import { untilRabbitmqClustered, untilRabbitmqServes } from "./broker-ready.ts";
import { freePorts } from "./free-ports.ts";
import { type LocalNode, localControl, nodeOf } from "./local-node.ts";
import { ManagedProcess } from "./managed-process.ts";
import { type RabbitmqSecurity, rabbitmqConfig, rabbitmqSecurity } from "./rabbitmq-config.ts";
import { leaveModuleList, loadingTogether } from "./rabbitmq-modules.ts";
import { runCommand } from "./run-command.ts";
import { makeTempDirectory, removeTempDirectory } from "./temp-directory.ts";

// Not the wrapper in /usr/sbin, which switches to another user.
const programs = "/usr/lib/rabbitmq/bin";
const onLoopback = "-kernel inet_dist_use_interface {127,0,0,1}";
/** Erlang does not wait for work by spinning. */
const withoutSpinning = "+sbwt none +sbwtdcpu none +sbwtdio none";

interface RabbitmqNode extends LocalNode {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  /** Port with TLS; unused without `security`. */
  readonly securePort: number;
}

interface LocalRabbitmqOptions extends RabbitmqOptions {
  /** The user is known on the open listener too, in the place of `guest`. */
  readonly security?: RabbitmqSecurity;
}

/** A RabbitMQ cluster of processes of this machine. */
export interface LocalRabbitmq extends RabbitmqCluster {
  /** `localhost:port` with TLS of every node; none without `security`. */
  readonly secureServers: readonly string[];
}

/** Starts RabbitMQ as processes of this machine, with a port mapper and a cookie of their own. */
export async function startLocalRabbitmq(
  options: LocalRabbitmqOptions = {},
): Promise<LocalRabbitmq> {
  const directory = makeTempDirectory("rabbitmq");
  const count = options.nodes ?? 1;
  const [epmdPort = 0, ...ports] = await freePorts(1 + 3 * count);
  const epmd = startPortMapper(directory, epmdPort);
  const nodes = prepareNodes({ directory, epmdPort, ports, options });
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.process.kill()));
    await epmd.kill();
    removeTempDirectory(directory);
  };
  try {
    for (const node of nodes) node.process.start();
    await Promise.all(nodes.map(untilRuns));
    // A single node is the whole cluster; rabbitmqctl would take as long as half its start.
    if (count > 1)
      await untilRabbitmqClustered(nodes.length, (...args) => rabbitmqctl(nodeOf(nodes, 1), args));
    await leaveModuleList((program) => evaluate(nodeOf(nodes, 1), program));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    nodes: nodes.length,
    urls: nodes.map(({ address }) => address),
    secureServers: options.security ? nodes.map(({ securePort }) => `localhost:${securePort}`) : [],
    ctl: (id, ...args) => rabbitmqctl(nodeOf(nodes, id), args),
    ...localControl(nodes, untilRuns),
    stop,
  };
}

function startPortMapper(directory: string, port: number): ManagedProcess {
  const epmd = new ManagedProcess({
    name: "epmd",
    command: "epmd",
    args: ["-address", "127.0.0.1", "-port", String(port)],
    logFile: join(directory, "epmd.log"),
  });
  epmd.start();
  return epmd;
}

interface Preparation {
  readonly directory: string;
  readonly epmdPort: number;
  /** Three per node: for clients, for the other nodes, for clients with TLS. */
  readonly ports: readonly number[];
  readonly options: LocalRabbitmqOptions;
}

function prepareNodes({ directory, epmdPort, ports, options }: Preparation): RabbitmqNode[] {
  const names = Array.from({ length: options.nodes ?? 1 }, (_, index) => `r${index + 1}@localhost`);
  const cookie = randomBytes(16).toString("hex");
  writeFileSync(join(directory, ".erlang.cookie"), cookie, { mode: 0o400 });
  writeFileSync(join(directory, "empty-env.conf"), "");
  const quickStart = loadingTogether(directory);
  return names.map((name, index) => {
    const home = join(directory, name);
    mkdirSync(home);
    const [port = 0, distributionPort, securePort = 0] = ports.slice(3 * index);
    const { security, config } = options;
    const settings = { ...(security && rabbitmqSecurity(securePort, security)), ...config };
    writeFileSync(join(home, "rabbitmq.conf"), rabbitmqConfig(names, settings));
    writeFileSync(join(home, "enabled_plugins"), "[].");
    const env = {
      ...nodeEnvironment(directory, home),
      ERL_EPMD_PORT: String(epmdPort),
      RABBITMQ_NODENAME: name,
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(distributionPort),
      // Less memory and processor time with many nodes on one machine.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `${onLoopback} -start_epmd false ${withoutSpinning} +S ${names.length > 1 ? "1:1" : "2:2"}`,
    };
    const process = new ManagedProcess({
      name: `RabbitMQ node ${name}`,
      command: join(programs, "rabbitmq-server"),
      args: [],
      env: { ...env, ...quickStart },
      logFile: join(home, "broker.log"),
    });
    const assertRunning = (): void => {
      process.assertRunning();
    };
    const { username = "guest", password = "guest" } = security ?? {};
    const address = `amqp://${username}:${password}@127.0.0.1:${port}`;
    return { id: index + 1, name, address, securePort, env, process, assertRunning };
  });
}

function nodeEnvironment(directory: string, home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    LANG: "C.UTF-8",
    HOME: directory,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    // Makes the start script replace itself with the broker, so that signals reach the broker.
    RUNNING_UNDER_SYSTEMD: "true",
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_CTL_ERL_ARGS: `${onLoopback} ${withoutSpinning} +S 1:1`,
    RABBITMQ_CONF_ENV_FILE: join(directory, "empty-env.conf"),
    RABBITMQ_CONFIG_FILE: join(home, "rabbitmq"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(home, "enabled_plugins"),
    RABBITMQ_FEATURE_FLAGS_FILE: join(home, "feature_flags"),
    RABBITMQ_MNESIA_BASE: join(home, "mnesia"),
    RABBITMQ_QUORUM_DIR: join(home, "quorum"),
    RABBITMQ_STREAM_DIR: join(home, "stream"),
    RABBITMQ_SCHEMA_DIR: join(home, "schema"),
    RABBITMQ_GENERATED_CONFIG_DIR: join(home, "generated"),
    RABBITMQ_LOG_BASE: join(home, "log"),
    RABBITMQ_PID_FILE: join(home, "pid"),
  };
}

/** Waits until a node takes connections and rabbitmqctl, which it refuses for a moment longer. */
async function untilRuns(node: RabbitmqNode): Promise<void> {
  await untilRabbitmqServes(node);
  const isRunning = async (): Promise<boolean> =>
    (await evaluate(node, "rabbit:is_running().")) === "true";
  const { assertRunning: giveUp } = node;
  await until(isRunning, `${node.name} runs`, {
    mayThrow: true,
    everyMs: 50,
    ...(giveUp && { giveUp }),
  });
}

async function rabbitmqctl(node: RabbitmqNode, args: readonly string[]): Promise<string> {
  const [command, program = ""] = args;
  if (command === "eval") return evaluate(node, program);
  const all = ["--quiet", "-n", node.name, ...args];
  const output = await runCommand(join(programs, "rabbitmqctl"), all, { env: node.env });
  return output.toString();
}

/** Does what `rabbitmqctl eval` does, which starts an Erlang machine of its own and takes a hundred times as long. */
async function evaluate({ name, env }: RabbitmqNode, program: string): Promise<string> {
  const args = ["-sname", name, "-e"];
  const output = (await runCommand("erl_call", args, { env, input: `${program}\n` })).toString();
  const [, value] = /^\{ok, (.*)\}$/s.exec(output.trim()) ?? [];
  if (value === undefined) throw new Error(`${program} gave ${output}`);
  return value;
}
