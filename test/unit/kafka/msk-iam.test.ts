import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { fetchFromIam, type MskSigner } from "../../../src/kafka/msk-iam.ts";
import { TokenError, type TokenErrorKind } from "../../../src/kafka/token-error.ts";

async function assertFails(load: () => Promise<MskSigner>, kind: TokenErrorKind, message: RegExp) {
  await assert.rejects(fetchFromIam("eu-central-1", load)(), (error) => {
    assert.ok(error instanceof TokenError);
    assert.equal(error.kind, kind);
    assert.match(error.message, message);
    return true;
  });
}

const failing = (error: Error) => async () => ({
  generateAuthToken: async () => {
    throw error;
  },
});

test("the package is asked for the region, and its token ends when it says", async () => {
  const asked: object[] = [];
  const signer: MskSigner = {
    generateAuthToken: async (options) => {
      asked.push(options);
      return { token: "abc", expiryTime: Date.now() + 900_000 };
    },
  };
  const { value, lifetimeMs } = await fetchFromIam("eu-central-1", async () => signer)();
  assert.deepEqual(asked, [{ region: "eu-central-1" }]);
  assert.equal(value, "abc");
  assert.ok(lifetimeMs > 0 && lifetimeMs <= 900_000);
});

test("without the package the error says how to install it", async () => {
  const missing = Object.assign(new Error("no"), { code: "ERR_MODULE_NOT_FOUND" });
  const load = () => Promise.reject(missing);
  await assertFails(load, "config", /not installed/);
  await assert.rejects(fetchFromIam("eu-central-1", load)(), {
    hint: "Install it beside the npm package of Certwire: npm install aws-msk-iam-sasl-signer-js@1.0.3",
  });
});

test("a package that cannot be loaded, and credentials that are missing, are named", async () => {
  await assertFails(() => Promise.reject(new Error("damaged")), "config", /loaded: damaged/);
  const none = Object.assign(new Error("none found"), { name: "CredentialsProviderError" });
  await assertFails(failing(none), "config", /none found/);
  await assertFails(failing(new Error("STS is away")), "unreachable", /STS is away/);
});

/** Sets variables of the environment for one test. */
function setEnvironment(t: TestContext, values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    const before = process.env[name];
    process.env[name] = value;
    t.after(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
}

test("the real package makes a token without a network when the environment has credentials", async (t) => {
  setEnvironment(t, {
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    AWS_EC2_METADATA_DISABLED: "true",
  });
  const { value, lifetimeMs } = await fetchFromIam("eu-central-1")();
  const url = new URL(Buffer.from(value, "base64url").toString("utf8"));
  assert.equal(url.host, "kafka.eu-central-1.amazonaws.com");
  assert.equal(url.searchParams.get("Action"), "kafka-cluster:Connect");
  assert.match(
    url.searchParams.get("X-Amz-Credential") ?? "",
    /^AKIDEXAMPLE\/\d{8}\/eu-central-1\//,
  );
  assert.match(url.searchParams.get("X-Amz-Signature") ?? "", /^[0-9a-f]{64}$/);
  assert.ok(!url.href.includes("EXAMPLEKEY"));
  assert.ok(lifetimeMs > 60_000 && lifetimeMs <= 900_000, `${lifetimeMs} ms`);
});
