import { Option } from "commander";
import { configIn, dataDirectory } from "../ca/service-setup.ts";

/** The configuration that `certwire setup` writes, and that commands read unless `--config` names another. */
export function defaultConfigFile(): string {
  return process.platform === "win32" ? configIn(dataDirectory()) : "/etc/certwire/certwire.jsonc";
}

/** The option `--config` of a command that cannot do without a configuration. */
export function configOption(description: string): Option {
  return new Option("-c, --config <file>", description).default(defaultConfigFile());
}
