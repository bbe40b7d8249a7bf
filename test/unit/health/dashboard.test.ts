import assert from "node:assert/strict";
import { test } from "node:test";
import type { Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import type { dataquery as Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import { grafanaDashboard } from "../../../scripts/dashboard.ts";

const { panels = [], templating } = grafanaDashboard();
const charts = panels.filter((panel): panel is Panel => panel.type !== "row");

test("every panel and every query of a panel has a name of its own, by which Grafana finds its answer", () => {
  const ids = panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, panels.length);
  assert.ok(ids.every((id) => id !== undefined && id > 0));
  for (const panel of charts) {
    const names = ((panel.targets ?? []) as Dataquery[]).map(({ refId }) => refId);
    assert.ok(names.length > 0, panel.title);
    assert.deepEqual(names, ["A", "B", "C"].slice(0, names.length), panel.title);
  }
});

test("panels say what they show and in which unit, and cover each other nowhere", () => {
  const cells = new Set<string>();
  for (const panel of panels) {
    const { x = 0, y = 0, w = 0, h = 0 } = panel.gridPos ?? {};
    assert.ok(w > 0 && h > 0 && x + w <= 24, panel.title);
    for (let row = y; row < y + h; row += 1) {
      for (let column = x; column < x + w; column += 1) {
        const cell = `${row} ${column}`;
        assert.ok(!cells.has(cell), `${panel.title} covers another panel`);
        cells.add(cell);
      }
    }
  }
  for (const { title, description, type, fieldConfig } of charts) {
    assert.ok(title && description, title);
    if (type !== "table") assert.ok(fieldConfig?.defaults.unit, title);
  }
});

test("queries use the variables that the dashboard offers, and each of these is used", () => {
  const offered = (templating?.list ?? []).map(({ name }) => name);
  const used = new Set(
    [...JSON.stringify(panels).matchAll(/\$\{?(\w+)/g)].map(([, name = ""]) => name),
  );
  used.delete("__rate_interval");
  assert.deepEqual([...used].toSorted(), offered.toSorted());
});

test("no figure turns red at 80, where Grafana's own steps do, whatever it means", () => {
  for (const { type, title, fieldConfig } of charts.filter((panel) => panel.type === "stat")) {
    const values = fieldConfig?.defaults.thresholds?.steps.map(({ value }) => value);
    assert.ok(values !== undefined && !values.includes(80), `${type} ${title}`);
  }
});
