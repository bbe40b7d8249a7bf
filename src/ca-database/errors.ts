import { CertwireError } from "../errors/certwire-error.ts";
import { hresultSymbol } from "../events/words/hresult.ts";
import { failedCall } from "../native/ca-database.ts";

const accessDenied = 0x8007_0005;

/** Failures after which the same call may succeed: the CA is busy, restarting or out of reach. */
const passing: ReadonlySet<number> = new Set([
  0x8007_0006, // the CA closed the view, which was too old or idle
  0x8007_000e, // E_OUTOFMEMORY
  0x8009_400f, // CERTSRV_E_NO_DB_SESSIONS
]);

/** True for a failure of COM's or RPC's own, or one of `passing`. */
function isPassing(hresult: number): boolean {
  const [facility, code] = [(hresult >>> 16) & 0x1fff, hresult & 0xffff];
  const isOfRpc = facility === 1 || (facility === 7 && code >= 1700 && code < 1900);
  return isOfRpc || passing.has(hresult);
}

/** The error of a call of the CA, and whether the call may be repeated; any other error is thrown. */
export function databaseError(
  config: string,
  error: unknown,
): { error: CertwireError; isPassing: boolean } {
  const failed = failedCall(error);
  if (failed === undefined) throw error;
  const { call, hresult } = failed;
  const code =
    hresult === accessDenied ? "CERTWIRE_CA_DATABASE_REFUSED" : "CERTWIRE_CA_DATABASE_FAILED";
  const symbol = hresultSymbol(hresult);
  const number = `0x${hresult.toString(16).padStart(8, "0")}`;
  const what = symbol === undefined ? number : `${number} ${symbol}`;
  return {
    error: new CertwireError(code, `CA database of "${config}": ${call}: ${what}`),
    isPassing: isPassing(hresult),
  };
}
