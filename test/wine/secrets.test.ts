import assert from "node:assert/strict";
import { test } from "node:test";
import { SecretSearch } from "./support/secrets.ts";

const secret = "Geheim-ÄÖ-7F3A9C51";
const search = new SecretSearch(["another one", secret]);

const disguises: Readonly<Record<string, Buffer>> = {
  plain: Buffer.from(`{"value":"${secret}"}`),
  UTF16: Buffer.from(`x${secret}y`, "utf16le"),
  base64: Buffer.from(Buffer.from(`Challenge:${secret}\n`).toString("base64")),
  "base64 of UTF-16": Buffer.from(Buffer.from(`a:${secret}`, "utf16le").toString("base64")),
  hex: Buffer.from(Buffer.from(`?${secret}!`).toString("hex")),
};

for (const [name, bytes] of Object.entries(disguises)) {
  test(`a secret is found as ${name}`, () => {
    assert.deepEqual(search.find(bytes), [secret]);
  });
}

test("what holds no secret is let pass", () => {
  assert.deepEqual(search.find(Buffer.from("Challenge:[redacted], Geheim-ÄÖ")), []);
});
