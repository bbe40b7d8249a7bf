import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { buildMsi, type Msi } from "../../../scripts/release/msi/build.ts";
import type { Stage } from "../../../scripts/release/stage.ts";
import { CommandError, runCommand } from "../../integration/support/run-command.ts";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";
import {
  epochSeconds,
  stagedTree,
  startableLine,
  windowsBinaries,
} from "../../package/support/staged.ts";
import { RegisteredService } from "./host-service.ts";
import { driveC, makePrefix, runWine, useOwnPrefix, windowsPath } from "./wine.ts";

let staged: Promise<Stage> | undefined;

useOwnPrefix("msi");

/** Directories of an installation, on this machine. */
export const installDirectory = join(driveC(), "Program Files", "Certwire");
export const dataDirectory = join(driveC(), "ProgramData", "Certwire");
/** %ProgramData%\Certwire of a service: Wine 8 gives it the folder Public for %ProgramData%. */
const serviceDataDirectories = [dataDirectory, join(driveC(), "users", "Public", "Certwire")];
/** Where the service looks for its configuration. */
const configFile = join(dataDirectory, "config", "certwire.jsonc");

const uninstallKey = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall";

/** Builds an MSI of this build. `change` may change the tree before. */
export async function buildInstaller(
  version: string,
  change?: (stage: string) => void,
): Promise<Msi> {
  const directory = makeTempDirectory("msi");
  const stage = join(directory, "stage");
  staged ??= stagedTree(startableLine);
  cpSync((await staged).directory, stage, { recursive: true });
  change?.(stage);
  return buildMsi({
    stage,
    version,
    actions: join(await windowsBinaries(), "certwire-msi.dll"),
    output: join(directory, `certwire-${version}-x64.msi`),
    epochSeconds,
  });
}

/** The installer of Windows in a prefix of its own. */
export class Installer {
  readonly service: RegisteredService;
  #log = "";

  private constructor(service: RegisteredService) {
    this.service = service;
  }

  /** With nothing of Certwire in the prefix, before and after the test. */
  static async prepare(context: TestContext): Promise<Installer> {
    const prefix = dirname(driveC());
    // Left by a run that was killed.
    const dirty = `${prefix}.dirty`;
    if (existsSync(dirty)) {
      await runCommand("wineserver", ["-k"], { env: { ...process.env, WINEPREFIX: prefix } }).catch(
        () => undefined, // none runs
      );
      rmSync(prefix, { recursive: true, force: true });
    }
    await makePrefix();
    writeFileSync(dirty, "");
    // Before the service is gone.
    context.after(async () => {
      await installer.removeAll();
      rmSync(dirty);
    });
    const installer = new Installer(await RegisteredService.named(context));
    return installer;
  }

  /** What msiexec logged the last time. */
  get log(): string {
    return readFileSync(this.#log, "latin1");
  }

  /** Runs msiexec silently; its exit code, of which Wine keeps 8 bits. */
  async run(...args: readonly string[]): Promise<number> {
    this.#log = join(makeTempDirectory("msiexec"), "log");
    try {
      await runWine("msiexec", [...args, "/qn", "/l*v", windowsPath(this.#log)]);
      return 0;
    } catch (error) {
      assert.ok(error instanceof CommandError && error.exitCode !== undefined, String(error));
      return error.exitCode;
    }
  }

  /** Installs with `PROPERTY=value` arguments, and asserts that it worked. */
  async install({ path }: Msi, ...properties: readonly string[]): Promise<void> {
    assert.equal(await this.run("/i", windowsPath(path), ...properties), 0, `log: ${this.#log}`);
  }

  async uninstall({ productCode }: Pick<Msi, "productCode">): Promise<void> {
    assert.equal(await this.run("/x", productCode), 0, `log: ${this.#log}`);
  }

  async removeAll(): Promise<void> {
    for (const productCode of await this.productCodes()) await this.uninstall({ productCode });
    rmSync(installDirectory, { recursive: true, force: true });
    for (const directory of serviceDataDirectories) {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  /** Of what Windows lists as installed. */
  async productCodes(): Promise<string[]> {
    const text = (await queryRegistry(uninstallKey, "/s")) ?? "";
    return [...text.matchAll(/Uninstall\\(\{[-0-9A-F]+\})/g)].map(([, code = ""]) => code);
  }

  /** Versions that Windows lists as installed. */
  async versions(): Promise<string[]> {
    const text = (await queryRegistry(uninstallKey, "/s")) ?? "";
    return [...text.matchAll(/DisplayVersion +REG_SZ +(\S+)/g)].map(([, version = ""]) => version);
  }
}

/** What `reg query` prints; undefined if there is no such key or value. */
export async function queryRegistry(...args: readonly string[]): Promise<string | undefined> {
  try {
    return await runWine("reg", ["query", ...args]);
  } catch (error) {
    assert.ok(error instanceof CommandError, String(error));
    return undefined;
  }
}

/** A value of the registry as text; the default value of the key if no name is given. */
export async function registryValue(key: string, name?: string): Promise<string | undefined> {
  const text = await queryRegistry(key, ...(name === undefined ? ["/ve"] : ["/v", name]));
  return / REG_\w+ +(.*?)\r?\n/.exec(text ?? "")?.[1];
}

/** The path of the DLL that the class is registered with. */
export async function registeredDll(): Promise<string | undefined> {
  const clsid = await registryValue("HKLM\\SOFTWARE\\Classes\\Certwire.Exit\\CLSID");
  if (clsid === undefined) return undefined;
  return registryValue(`HKLM\\SOFTWARE\\Classes\\CLSID\\${clsid}\\InprocServer32`);
}

/** All files below a directory, with `/`; none if it is not there. */
export function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();
}

/** The lines of the service's log. */
export function serviceLog(): string[] {
  const directories = serviceDataDirectories.map((directory) => join(directory, "state", "log"));
  const files = directories.flatMap((directory) =>
    filesBelow(directory).map((name) => join(directory, name)),
  );
  return files.flatMap((file) => readFileSync(file, "utf8").split("\n"));
}

/** Writes a configuration with a sink into files; their directory. */
export function writeConfiguration(detail: "full" | "standard" = "standard"): string {
  const data = "C:\\ProgramData\\Certwire";
  const config = {
    journal: { directory: `${data}\\journal` },
    state: { directory: `${data}\\state` },
    sinks: [{ name: "files", url: "file:../events", detail, maxFiles: 0 }],
  };
  mkdirSync(dirname(configFile), { recursive: true });
  writeFileSync(configFile, JSON.stringify(config));
  return join(dataDirectory, "events");
}
