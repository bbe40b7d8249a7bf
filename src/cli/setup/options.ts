import { join, resolve } from "node:path";
import { dataDirectory } from "../../ca/service-setup.ts";
import { defaultConfigFile } from "../default-config.ts";
import { usage } from "../verify/credentials.ts";

/** The options of `certwire setup`. */
export interface SetupOptions {
  readonly config?: string;
  readonly journal?: string;
  readonly state?: string;
  readonly kafka?: string;
  readonly kafkaUsername?: string;
  readonly kafkaMechanism?: string;
  readonly kafkaPasswordFile?: string;
  readonly kafkaCaFile?: string;
  readonly rabbitmq?: string;
  readonly rabbitmqPasswordFile?: string;
  readonly rabbitmqCaFile?: string;
  readonly enable?: true;
  readonly restartCa?: true;
  readonly start?: true;
  readonly replace?: true;
  readonly offline?: true;
  /** Longest wait for each sink, in s. */
  readonly timeout: number;
  readonly dryRun?: true;
  /** Never ask, on a terminal either. */
  readonly yes?: true;
}

/** Where configuration, journal and state are. */
export interface SetupPlaces {
  readonly config: string;
  readonly journal: string;
  readonly state: string;
}

/** The places of the options; by default those of the exit module on Windows, and those of Linux elsewhere. */
export function setupPlaces({ config, journal, state }: Partial<SetupPlaces> = {}): SetupPlaces {
  const defaults = process.platform === "win32" ? windowsPlaces() : linuxPlaces;
  return {
    config: resolve(config ?? defaultConfigFile()),
    journal: resolve(journal ?? defaults.journal),
    state: resolve(state ?? defaults.state),
  };
}

const linuxPlaces: Omit<SetupPlaces, "config"> = {
  journal: "/var/lib/certwire/journal",
  state: "/var/lib/certwire/state",
};

function windowsPlaces(): Omit<SetupPlaces, "config"> {
  const base = dataDirectory();
  return { journal: join(base, "journal"), state: join(base, "state") };
}

/** Throws CERTWIRE_USAGE for an option that has no effect without another one. */
export function assertCombination(options: SetupOptions): void {
  const isKafka = options.kafka !== undefined;
  const isRabbitMq = options.rabbitmq !== undefined;
  const pairs: readonly (readonly [
    isGiven: boolean,
    option: string,
    isUsed: boolean,
    with_: string,
  ])[] = [
    [options.kafkaUsername !== undefined, "--kafka-username", isKafka, "--kafka"],
    [options.kafkaMechanism !== undefined, "--kafka-mechanism", isKafka, "--kafka"],
    [options.kafkaPasswordFile !== undefined, "--kafka-password-file", isKafka, "--kafka"],
    [options.kafkaCaFile !== undefined, "--kafka-ca-file", isKafka, "--kafka"],
    [
      options.rabbitmqPasswordFile !== undefined,
      "--rabbitmq-password-file",
      isRabbitMq,
      "--rabbitmq",
    ],
    [options.rabbitmqCaFile !== undefined, "--rabbitmq-ca-file", isRabbitMq, "--rabbitmq"],
    [options.restartCa !== undefined, "--restart-ca", options.enable !== undefined, "--enable"],
  ];
  const wrong = pairs.find(([isGiven, , isUsed]) => isGiven && !isUsed);
  if (wrong !== undefined) throw usage(`${wrong[1]} needs ${wrong[3]}`);
}
