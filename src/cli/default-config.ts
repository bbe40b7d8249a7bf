import { join } from "node:path";
import { Option } from "commander";

/** Where Certwire keeps its files on Windows. */
export function windowsDataDirectory(): string {
  return join(process.env["ProgramData"] ?? String.raw`C:\ProgramData`, "Certwire");
}

/** The configuration that `certwire setup` writes, and that commands read unless `--config` names another. */
export function defaultConfigFile(): string {
  return process.platform === "win32"
    ? join(windowsDataDirectory(), "config", "certwire.jsonc")
    : "/etc/certwire/certwire.jsonc";
}

/** The option `--config` of a command that cannot do without a configuration. */
export function configOption(description: string): Option {
  return new Option("-c, --config <file>", description).default(defaultConfigFile());
}
