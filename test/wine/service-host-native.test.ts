import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { prepareWine, runWine, windowsBuild, windowsPath } from "./support/wine.ts";

test("the service host runs programs to every kind of end, leaves no handle, and writes its entries", async (t) => {
  if (!(await prepareWine(t))) return;
  const before = process.env["WINEDEBUG"];
  // Wine keeps no event log, but prints what stands in errors and warnings.
  process.env["WINEDEBUG"] = "-all,err+eventlog,warn+eventlog";
  t.after(() => {
    if (before === undefined) delete process.env["WINEDEBUG"];
    else process.env["WINEDEBUG"] = before;
  });
  const output = await runWine(windowsPath(join(windowsBuild, "supervisor_test.exe")), []);
  assert.match(output, /Status: SUCCESS!/);
  const entries: readonly [id: number, texts: RegExp][] = [
    [40, /L"70"\s.*L"1"/],
    [41, /L"78"\s.*L"its configuration"/],
    [42, /L"C:\\\\no such directory\\\\node.exe"\s.*L"3"/],
    [43, /a file is not a directory"\s.*L"\d+"/],
    [44, /L"3"\s+\S*:warn:eventlog:ReportEventW L"1"/],
  ];
  for (const [id, texts] of entries) assert.match(output, texts, `entry ${id}`);
});
