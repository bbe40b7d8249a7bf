import { collect } from "../../doctor/collect.ts";
import { examine } from "../../doctor/examine.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { nativeCaDatabase } from "../../native/ca-database.ts";
import { windowsSystem } from "../../native/windows-system.ts";
import type { SinkKind } from "../../sinks/sink-kind.ts";
import { doctorLines } from "../doctor-screen.ts";
import { exitCodes } from "../exit-codes.ts";
import { findStatus } from "../find-status.ts";
import { inLine, say } from "../output.ts";
import { setupPlaces } from "../setup/options.ts";

/** The options of `certwire doctor`. */
export interface DoctorOptions {
  readonly config?: string;
  readonly offline?: true;
  /** Longest wait for each sink, in s. */
  readonly timeout: number;
  /** Path of a zip file. */
  readonly collect?: string;
  readonly withNames?: true;
  readonly json?: true;
}

const stateCodes = { ok: exitCodes.ok, warn: exitCodes.degraded, error: exitCodes.failing };

/** `certwire doctor`: every link between the CA and the brokers. */
export async function doctor(options: DoctorOptions, kinds?: readonly SinkKind[]): Promise<void> {
  const { offline, timeout, collect: zip, withNames, json } = options;
  if (withNames && zip === undefined) {
    throw new CertwireError("CERTWIRE_USAGE", "--with-names needs --collect");
  }
  const { config: configFile } = setupPlaces(options);
  const diagnosis = await examine({
    configFile,
    isOffline: offline === true,
    timeoutMs: timeout * 1000,
    statusOf: async (config) => (await findStatus(config)).status,
    ...(process.platform === "win32" && {
      windows: windowsSystem(),
      caDatabase: nativeCaDatabase(),
    }),
    ...(kinds && { kinds }),
  });
  const { state, time, version, findings } = diagnosis;
  const result = { state, time, version, findings };
  process.exitCode = stateCodes[state];
  const text = json
    ? jsonText(result, undefined, 2)
    : doctorLines(result, process.stdout).join("\n");
  standardOutput().post(`${text}\n`);
  if (zip === undefined) return;
  const report = (shown: typeof findings) =>
    `${doctorLines({ ...result, findings: shown }).join("\n")}\n`;
  await collect(zip, { diagnosis, report, configFile, keepsNames: withNames === true });
  say(`${inLine(zip)} was written; look into it before you send it`);
}
