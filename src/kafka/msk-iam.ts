import { clock } from "../clock.ts";
import type { FetchToken } from "./access-token.ts";
import { TokenError } from "./token-error.ts";

/** The part of the package `aws-msk-iam-sasl-signer-js` that is used. */
export interface MskSigner {
  /** A token for the credentials that the AWS SDK finds, and when it ends, in ms since 1970. */
  generateAuthToken(options: {
    readonly region: string;
  }): Promise<{ readonly token: string; readonly expiryTime: number }>;
}

/** The version that is tested. */
const signerPackage = "aws-msk-iam-sasl-signer-js@1.0.3";

/** Longest wait for the AWS SDK to find credentials, in ms. */
const timeoutMs = 10_000;

const loadSigner = (): Promise<MskSigner> => import("aws-msk-iam-sasl-signer-js");

/** Gets tokens of IAM for Amazon MSK by a package that is loaded only now, and installed only by those who need it. */
export function fetchFromIam(region: string, load = loadSigner): FetchToken {
  return async () => {
    const signer = await loaded(load);
    const stop = new AbortController();
    try {
      const tooLate = clock.delay(timeoutMs, { signal: stop.signal, ref: false });
      const answer = await Promise.race([signer.generateAuthToken({ region }), tooLate]);
      if (answer === undefined) throw new Error(`no answer within ${timeoutMs} ms`);
      const { token, expiryTime } = answer;
      return { value: token, lifetimeMs: expiryTime - clock.time() };
    } catch (error) {
      throw noToken(error);
    } finally {
      stop.abort();
    }
  };
}

async function loaded(load: typeof loadSigner): Promise<MskSigner> {
  try {
    return await load();
  } catch (error) {
    const isMissing = Object(error).code === "ERR_MODULE_NOT_FOUND";
    const message = isMissing
      ? "the package for AWS MSK IAM is not installed"
      : `the package for AWS MSK IAM cannot be loaded: ${(error as Error).message}`;
    throw new TokenError(
      "config",
      message,
      `Install it beside the npm package of Certwire: npm install ${signerPackage}`,
    );
  }
}

function noToken(error: unknown): TokenError {
  const { name, message } = error as Error;
  const kind = name === "CredentialsProviderError" ? "config" : "unreachable";
  return new TokenError(
    kind,
    `no token of AWS IAM: ${message}`,
    "Give the account of this process AWS credentials: a role of the instance, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile (AWS_PROFILE).",
  );
}
