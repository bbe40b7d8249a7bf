import { open } from "node:fs/promises";
import { arch, hostname, release, version as systemVersion, userInfo } from "node:os";
import { join } from "node:path";
import { getNodeValue, parseTree } from "jsonc-parser";
import { readConfigText } from "../config/load.ts";
import { firstTooDeep } from "../config/nesting.ts";
import { readSecret } from "../config/secrets.ts";
import { shareableText } from "../config/shareable-text.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { jsonText } from "../events/json-text.ts";
import { type KnownNames, NameBlanker } from "./blank-names.ts";
import type { Diagnosis } from "./examine.ts";
import type { Finding } from "./finding.ts";
import { type LogTail, listState, logsOf, type StateFile } from "./state-files.ts";
import { type ZipEntry, zipOf } from "./zip-file.ts";

/** What goes into an archive. */
export interface Collection {
  readonly diagnosis: Diagnosis;
  /** Findings as they are printed. A name that is broken over two lines could not be found any more. */
  readonly report: (findings: readonly Finding[]) => string;
  readonly configFile: string;
  /** True to keep names; secrets go nevertheless. */
  readonly keepsNames: boolean;
}

/**
 * Writes a new zip file for somebody who helps: findings, configuration, versions, status, the list of segments, that of
 * the state directory, and the end of the logs. It holds no event, no secret that the configuration names and that can be
 * read, and no names unless they are kept. Rejects with CERTWIRE_EXPORT_FAILED.
 */
export async function collect(path: string, collection: Collection): Promise<void> {
  const archive = zipOf(await entriesOf(collection), new Date());
  try {
    // A file that is there may be somebody else's. The mode has no effect on Windows.
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(archive);
    } finally {
      await file.close();
    }
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === "EEXIST";
    throw new CertwireError(
      "CERTWIRE_EXPORT_FAILED",
      isThere ? `${path} exists already` : `cannot write ${path}`,
      isThere ? { hint: "Give another name, or delete that file." } : { cause },
    );
  }
}

/** What the files of an archive are made of. */
interface Material extends Collection {
  /** Text of the configuration; absent if it cannot be read. */
  readonly configText?: string;
  readonly stateFiles: readonly StateFile[];
  readonly logs: readonly LogTail[];
}

async function entriesOf(collection: Collection): Promise<ZipEntry[]> {
  const { diagnosis, configFile, keepsNames } = collection;
  const configText = textOf(configFile);
  const config = configText === undefined ? undefined : valueOf(configText);
  const stateDirectory = diagnosis.config?.state.directory;
  const material: Material = {
    ...collection,
    ...(configText !== undefined && { configText }),
    stateFiles: await listState(stateDirectory),
    logs: await logsOf(stateDirectory, diagnosis.serviceSetup?.commandLine),
  };
  const blanker = new NameBlanker(
    namesOf(config, diagnosis),
    secretsOf(config, configFile),
    keepsNames,
  );
  // The first time teaches the names that stand in the texts: one may come before the place that shows what it is.
  render(material, blanker);
  return render(material, blanker);
}

function render(material: Material, blanker: NameBlanker): ZipEntry[] {
  const { diagnosis, report, configText, keepsNames, stateFiles, logs } = material;
  const { state, time, version, findings, disk, segments, module } = diagnosis;
  const json = (name: string, value: unknown): ZipEntry => ({
    name,
    content: `${jsonText(Object(blanker.value(value)), bigintAsText, 2)}\n`,
  });
  const shown = findings.map(({ seen, hint, ...rest }) => ({
    ...rest,
    seen: blanker.text(seen),
    ...(hint !== undefined && { hint: blanker.text(hint) }),
  }));
  const entries = [
    { name: "README.txt", content: readme(keepsNames) },
    { name: "doctor.txt", content: report(shown) },
    json("doctor.json", { state, time, version, findings }),
    json("versions.json", versionsOf(diagnosis)),
  ];
  if (configText !== undefined) {
    const content = shareableText(configText, (text) => blanker.text(text));
    entries.push({ name: "config.jsonc", content });
  }
  if (disk !== undefined) {
    const { service, journal, sinks } = disk;
    entries.push(json("status.json", { service, journal, sinks }));
  }
  entries.push(json("journal-segments.json", segments), json("state-files.json", stateFiles));
  if (module !== undefined) entries.push(json("exit-module.json", module));
  for (const { name, lines } of logs) {
    const content = lines.map((line) => `${logLine(line, blanker)}\n`).join("");
    entries.push({ name: `logs/${name}`, content });
  }
  return entries;
}

function versionsOf({ version, module }: Diagnosis): object {
  return {
    certwire: version,
    exitModule: module?.dllVersion ?? null,
    node: process.version,
    system: `${process.platform} ${release()} ${arch()}`,
    systemVersion: systemVersion(),
  };
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** Texts within JSON are blanked as they were before they were written as JSON. */
function logLine(line: string, blanker: NameBlanker): string {
  try {
    return jsonText(Object(blanker.value(JSON.parse(line))));
  } catch {
    return blanker.text(line);
  }
}

function textOf(configFile: string): string | undefined {
  try {
    return readConfigText(configFile);
  } catch {
    return undefined; // a finding says so
  }
}

function valueOf(text: string): unknown {
  if (firstTooDeep(text) !== undefined) return undefined;
  const root = parseTree(text, [], { allowTrailingComma: true });
  return root && getNodeValue(root);
}

const userKeys = new Set(["username", "clientId"]);
const hostKeys = new Set(["serverName", "host"]);

/** The names that are known of this machine, its CA and its configuration. */
function namesOf(config: unknown, { module, disk, serviceSetup }: Diagnosis): KnownNames {
  const service = accountNames(serviceSetup?.account ?? "");
  const strings = [...stringsIn(config)];
  const valuesOf = (keys: ReadonlySet<string>) =>
    strings.filter(({ key }) => keys.has(key)).map(({ value }) => value);
  const environment = (...names: string[]) => names.flatMap((name) => process.env[name] ?? []);
  const host = disk?.service.host;
  return {
    hosts: [
      hostname(),
      ...environment("COMPUTERNAME"),
      ...(host === undefined ? [] : [host]),
      ...valuesOf(hostKeys),
      ...strings.flatMap(({ value }) => hostsOfUrl(value)),
    ],
    users: [
      userName(),
      ...environment("USERNAME", "USER"),
      ...valuesOf(userKeys),
      ...service.users,
    ].filter(Boolean),
    cas: (module?.caNames ?? []).filter((name) => name !== ""),
    domains: [...environment("USERDOMAIN", "USERDNSDOMAIN"), ...service.domains].filter(
      (name) => name !== hostname(),
    ),
  };
}

/** The names in an account of a service: `DOMAIN\user`, `.\user` or `user@domain`. */
function accountNames(account: string): Pick<KnownNames, "users" | "domains"> {
  const [, domain = "", user = ""] = /^(.*)\\(.*)$/.exec(account) ?? [];
  const [, name = user, realm = domain] = /^(.*)@(.*)$/.exec(account) ?? [];
  const isLocal = realm === "" || realm === ".";
  return { users: [name], domains: isLocal ? [] : [realm] };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return ""; // an account without a name, as in a container
  }
}

/** The hosts of a URL, which may name several. */
function hostsOfUrl(text: string): string[] {
  const [, authority] = /^[a-z+]+:\/\/(?:[^@/?#]*@)?([^/?#]+)/i.exec(text) ?? [];
  const hosts = authority?.split(",").map((each) => each.replace(/:\d+$/, "")) ?? [];
  return hosts.filter((host) => !/^[\d.[\]:]+$/.test(host));
}

function* stringsIn(value: unknown, key = ""): Generator<{ key: string; value: string }> {
  if (typeof value === "string") yield { key, value };
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    yield* stringsIn(inner, Array.isArray(value) ? key : name);
  }
}

/** Every secret that the configuration names and this account can read, and every line of a key. */
function secretsOf(config: unknown, configFile: string): string[] {
  const baseDirectory = join(configFile, "..");
  return [...referencesIn(config)].flatMap((reference) => {
    try {
      const secret = readSecret(reference, baseDirectory);
      const lines = secret
        .split(/\r?\n/)
        .filter((line) => line.length >= 8 && !line.startsWith("-----"));
      return [secret, ...lines, encodeURIComponent(secret), Buffer.from(secret).toString("base64")];
    } catch {
      return [];
    }
  });
}

function* referencesIn(value: unknown): Generator<{ file: string } | { environment: string }> {
  if (typeof value !== "object" || value === null) return;
  const { file, environment } = value as { file?: unknown; environment?: unknown };
  if (typeof file === "string") yield { file };
  if (typeof environment === "string") yield { environment };
  for (const inner of Object.values(value)) yield* referencesIn(inner);
}

function readme(keepsNames: boolean): string {
  const names = keepsNames
    ? "Names of hosts, users and CAs are as they are (--with-names)."
    : "Names of hosts, users, domains and CAs, addresses and subjects are <host-1> and so on, the same\nfor the same name. Names of sinks, topics and directories stay: look into the files before you\nsend them.";
  return `Collected by \`certwire doctor --collect\`.

doctor.txt, doctor.json   what each check found
versions.json             of Certwire, Node.js and the system
config.jsonc              the configuration, without comments or secrets
status.json               what \`certwire status\` knows
journal-segments.json     the headers of the journal's segments, no events
state-files.json          names, sizes and times in the state directory, no contents
exit-module.json          what Windows knows of the exit module, on Windows
logs                      the end of the logs of the Windows service

Secrets that the configuration names, and that could be read, are not in these files. ${names}
`;
}
