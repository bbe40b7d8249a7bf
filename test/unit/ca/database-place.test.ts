import assert from "node:assert/strict";
import { test } from "node:test";
import { databasePlace } from "../../../src/ca/database-place.ts";
import { multiText } from "../../../src/native/registry-strings.ts";
import { configurationKey, FakeWindows, singleText } from "../../support/fake-windows.ts";

function windowsWithCa(): FakeWindows {
  const windows = FakeWindows.withCa("Contoso CA", ["Certwire.Exit"]);
  const key = `${configurationKey}\\Contoso CA`;
  windows.set(key, "CAServerName", singleText("CA01.contoso.com"));
  windows.set(key, "CommonName", singleText("Contoso CA"));
  return windows;
}

test("the database is that of the CA in the registry, by the name of its server", () => {
  const place = databasePlace(windowsWithCa());
  assert.deepEqual(place, { config: "CA01.contoso.com\\Contoso CA", secretAttributes: [] });
});

test("attributes that the exit module does not record are not read either", () => {
  const windows = windowsWithCa();
  const key = `${configurationKey}\\Contoso CA\\ExitModules\\Certwire.Exit`;
  windows.set(key, "BlankedAttributes", multiText(["Pin", "Token"]));
  assert.deepEqual(databasePlace(windows).secretAttributes, ["Pin", "Token"]);
  windows.set(key, "BlankedAttributes", singleText("Pin, Token,"));
  assert.deepEqual(databasePlace(windows).secretAttributes, ["Pin", "Token"]);
});

test("a CA without the name of its server is an error that says what is missing", () => {
  const windows = FakeWindows.withCa("Contoso CA", []);
  assert.throws(() => databasePlace(windows), {
    code: "CERTWIRE_CA_MISSING",
    message: 'the configuration of the CA "Contoso CA" has no CAServerName',
  });
});
