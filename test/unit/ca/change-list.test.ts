import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { planDisable, planEnable } from "../../../src/ca/change-list.ts";
import { multiText, textsOf } from "../../../src/native/registry-strings.ts";
import { configurationKey, FakeWindows, singleText } from "../../support/fake-windows.ts";
import { registerDll } from "../../support/registered-dll.ts";
import { writeProgram } from "../../support/windows-program.ts";

const defaultExit = "CertificateAuthority_MicrosoftDefault.Exit";
const ca = "Corp-Issuing-CA-1";

function stored(windows: FakeWindows, name = ca): string[] | undefined {
  const value = windows.modulesOf(name);
  return value === null ? undefined : textsOf(value);
}

test("enable adds the module at the end and keeps the others in their order", (t) => {
  const windows = FakeWindows.withCa(ca, ["Z.Exit", defaultExit, "A.Exit"]);
  registerDll(t, windows);
  planEnable(windows).apply();
  assert.deepEqual(
    windows.modulesOf(ca),
    multiText(["Z.Exit", defaultExit, "A.Exit", "Certwire.Exit"]),
  );
});

test("enable twice, in whatever case the module is written, writes once", (t) => {
  const windows = FakeWindows.withCa(ca, [defaultExit]);
  registerDll(t, windows);
  planEnable(windows).apply();
  planEnable(windows).apply();
  assert.deepEqual(windows.calls, ["write Active"]);
  const other = FakeWindows.withCa(ca, ["certwire.EXIT", defaultExit]);
  registerDll(t, other);
  assert.equal(planEnable(other).isChange, false);
});

test("a single text is accepted, and becomes a list", (t) => {
  const windows = FakeWindows.withCa(ca, singleText(defaultExit));
  registerDll(t, windows);
  planEnable(windows).apply();
  assert.deepEqual(windows.modulesOf(ca), multiText([defaultExit, "Certwire.Exit"]));
});

test("disable takes out our module only, and leaves an empty list if it was the only one", () => {
  const windows = FakeWindows.withCa(ca, ["A.Exit", "CERTWIRE.exit", defaultExit]);
  planDisable(windows).apply();
  assert.deepEqual(stored(windows), ["A.Exit", defaultExit]);
  planDisable(windows).apply();
  assert.deepEqual(windows.calls, ["write Active"]);
  const alone = FakeWindows.withCa(ca, ["Certwire.Exit"]);
  planDisable(alone).apply();
  assert.deepEqual(alone.modulesOf(ca), multiText([]));
});

test("a plan alone writes nothing", (t) => {
  const windows = FakeWindows.withCa(ca, [defaultExit]);
  registerDll(t, windows);
  const { before, after, isChange } = planEnable(windows);
  assert.deepEqual(
    [before, after, isChange],
    [[defaultExit], [defaultExit, "Certwire.Exit"], true],
  );
  assert.deepEqual(windows.calls, []);
  assert.deepEqual(stored(windows), [defaultExit]);
});

test("a machine without a CA, an unknown CA and an active one without a configuration are named", () => {
  assert.throws(() => planDisable(new FakeWindows()), {
    code: "CERTWIRE_CA_MISSING",
    message: /no configuration of a CA/,
  });
  const windows = FakeWindows.withCa(ca, [defaultExit]);
  assert.throws(() => planDisable(windows, "Other"), {
    code: "CERTWIRE_CA_MISSING",
    message: 'there is no CA "Other"',
    hint: `Name one with --ca: "${ca}".`,
  });
  windows.set(configurationKey, "Active", singleText("Gone"));
  assert.throws(() => planDisable(windows), /the active CA "Gone" has no configuration/);
});

test("of several CAs the active one is changed, or the one that is named; without either there is an error", () => {
  const windows = FakeWindows.withCa(ca, [defaultExit, "Certwire.Exit"]);
  windows.addCa("Old-CA", ["Certwire.Exit"]);
  planDisable(windows).apply();
  assert.deepEqual(
    [stored(windows), stored(windows, "Old-CA")],
    [[defaultExit], ["Certwire.Exit"]],
  );
  const named = planDisable(windows, "old-ca");
  assert.deepEqual([named.ca, named.isActive], ["Old-CA", false]);
  named.apply();
  assert.deepEqual(stored(windows, "Old-CA"), []);
  windows.remove(configurationKey, "Active");
  assert.throws(() => planDisable(windows), {
    message: "none of the CAs is the active one",
    hint: `Name one with --ca: "${ca}", "Old-CA".`,
  });
});

test("a missing list is never made, and one of another type is left alone", (t) => {
  const windows = FakeWindows.withCa(ca, [defaultExit]);
  registerDll(t, windows);
  windows.remove(`${configurationKey}\\${ca}\\ExitModules`, "Active");
  windows.set(`${configurationKey}\\${ca}`, "CommonName", singleText(ca));
  assert.throws(() => planEnable(windows), {
    code: "CERTWIRE_CA_LIST",
    message: /there is no HKLM/,
  });
  windows.addCa(ca, { type: 4, data: Buffer.alloc(4) });
  assert.throws(() => planEnable(windows), /not a list of names but REG_DWORD of 4 bytes/);
  windows.addCa(ca, { type: 7, data: Buffer.from("A\0\0B\0\0", "utf16le") });
  assert.throws(() => planEnable(windows), { code: "CERTWIRE_CA_LIST" });
  assert.deepEqual(windows.calls, []);
});

test("a list that another program changes meanwhile is not overwritten", () => {
  const windows = FakeWindows.withCa(ca, ["Certwire.Exit"]);
  const plan = planDisable(windows);
  windows.beforeReplace = () => windows.addCa(ca, ["Certwire.Exit", "New.Exit"]);
  assert.throws(() => plan.apply(), { code: "CERTWIRE_CA_LIST", hint: "Run the command again." });
  assert.deepEqual(stored(windows), ["Certwire.Exit", "New.Exit"]);
});

test("a right that is missing has its own code, another failure the number of Windows", () => {
  const windows = FakeWindows.withCa(ca, ["Certwire.Exit"]);
  windows.failWrite = 5;
  assert.throws(() => planDisable(windows).apply(), {
    code: "CERTWIRE_WINDOWS_ACCESS",
    exitCode: 77,
    message: /value Active, cannot be written: Windows error 5$/,
  });
  windows.failWrite = 1018;
  assert.throws(() => planDisable(windows).apply(), {
    code: "CERTWIRE_WINDOWS_FAILED",
    message: /Windows error 1018$/,
  });
});

test("enable refuses a module that is not registered, or whose DLL a CA must not load", (t) => {
  const windows = FakeWindows.withCa(ca, [defaultExit]);
  const refused = (message: RegExp) =>
    assert.throws(() => planEnable(windows), { code: "CERTWIRE_CA_MODULE", message });
  refused(/the class Certwire\.Exit is not registered/);
  windows.register("C:\\missing\\certwire-exit.dll");
  refused(/the DLL is missing, cannot be read, or is not a DLL/);
  windows.register("certwire-exit.dll");
  refused(/not registered with a full path/);
  const dll = registerDll(t, windows);
  assert.equal(planEnable(windows).isChange, true);
  windows.writable.add(dll);
  refused(/accounts other than administrators can change the DLL or its folder/);
  windows.writable.delete(dll);
  writeProgram(dll, "x86");
  refused(/the DLL is for x86/);
  writeFileSync(dll, "not a program, although it is longer than the header of one, by some words");
  refused(/is not a DLL/);
});

for (const users of [undefined, "D:\\Profile"]) {
  test(`enable refuses a DLL below ${users ?? "the folders of users"}, whatever its rights`, (t) => {
    const windows = FakeWindows.withCa(ca, [defaultExit]);
    registerDll(t, windows);
    const key = String.raw`SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`;
    if (users !== undefined) windows.set(key, "ProfilesDirectory", singleText(users));
    process.env["SystemDrive"] = "C:";
    t.after(() => delete process.env["SystemDrive"]);
    const dll = `${users ?? "c:\\USERS"}\\alice\\certwire-exit.dll`;
    writeProgram(dll, "x64");
    windows.register(dll);
    assert.throws(() => planEnable(windows), /lies below the folders of users/);
  });
}
