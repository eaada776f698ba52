import assert from "node:assert/strict";
import test from "node:test";
import { answers } from "../../../coordinator/src/web/cost/answers.js";
import { splitTable } from "../../../coordinator/src/web/cost/split.js";
import { runs, series, ticks, timeTicks } from "../../../coordinator/src/web/cost/series.js";
import { ends, grain, lastWeek, reportPath } from "../../../coordinator/src/web/state/period.js";
import { row, signedInState } from "./build.mjs";

const HOUR = 3_600_000;
const FROM = Date.UTC(2026, 10, 25, 10);

/** @param {import("../../../coordinator/src/web/core/types.js").CostRow[]} rows */
const report = (rows) => ({
  from: new Date(FROM).toISOString(),
  to: new Date(FROM + 4 * HOUR).toISOString(),
  group_by: "hour",
  total: row(),
  rows,
  unpriced: [],
  prices: [],
});
const at = (/** @type {number} */ h) => new Date(FROM + h * HOUR).toISOString();

test("every hour is a point; hours that delivered nothing are gaps, not zeros", () => {
  const told = series(
    report([
      row({ group: at(0), delivered_minutes: 10, usd_per_minute: 0.01 }),
      row({ group: at(2), delivered_minutes: 0, usd_per_minute: null, machine_hours: 1 }),
      row({ group: at(3), delivered_minutes: 5, usd_per_minute: 0.02 }),
    ]),
    "hour",
  );
  assert.equal(told.style, "line");
  assert.deepEqual(
    told.points.map((p) => p.value),
    [0.01, null, null, 0.02],
  );
  assert.deepEqual(
    runs(told.points).map((run) => run.map((p) => p.value)),
    [[0.01], [0.02]],
  );
  assert.match(told.points[0]?.say ?? "", /\$0\.0100 a minute, 10\.0 min delivered/);
});

test("without prices the chart shows minutes", () => {
  const told = series(report([row({ group: at(1), delivered_minutes: 3 })]), "hour");
  assert.equal(told.style, "bars");
  assert.deepEqual(
    told.points.map((p) => p.value),
    [0, 3, 0, 0],
  );
});

test("days are found by their date", () => {
  const days = {
    ...report([row({ group: "2026-11-26", delivered_minutes: 7 })]),
    to: new Date(FROM + 48 * HOUR).toISOString(),
  };
  assert.deepEqual(
    series(days, "day").points.map((p) => p.value),
    [0, 7, 0],
  );
});

test("axes have round values that cover the largest", () => {
  assert.deepEqual(ticks(0.052), [0, 0.02, 0.04, 0.06]);
  assert.deepEqual(ticks(100), [0, 50, 100]);
  assert.deepEqual(ticks(0), [0, 1]);
  for (const max of [0.0013, 0.7, 3, 9.99, 42, 1e6]) {
    const scale = ticks(max);
    assert.ok((scale[scale.length - 1] ?? 0) >= max && scale.length >= 2 && scale.length <= 7, String(scale));
  }
});

test("an axis's labels say one step from the next", () => {
  const told = series(report([row({ group: at(0), delivered_minutes: 1, usd_per_minute: 0.0013 })]), "hour");
  assert.deepEqual(
    [0, 0.0005, 0.001].map((v) => told.tick(v, 0.0005)),
    ["$0.0000", "$0.0005", "$0.0010"],
  );
});

test("time labels fit the room", () => {
  for (const [hours, room] of [
    [24, 4],
    [24, 12],
    [72, 4],
  ]) {
    const labels = timeTicks(FROM, FROM + (hours ?? 0) * HOUR, HOUR, room ?? 0);
    assert.ok(labels.length >= 2 && labels.length <= (room ?? 0), `${labels.length} of ${room}`);
  }
});

test("periods", () => {
  const now = Date.UTC(2026, 10, 25, 16, 30);
  assert.deepEqual(ends({ period: "24h", from: "", to: "" }, now), { from: now - 24 * HOUR, to: now });
  assert.equal(ends({ period: "custom", from: "", to: "2026-11-25" }, now), null);
  assert.equal(ends({ period: "custom", from: "2026-11-26", to: "2026-11-25" }, now), null);
  const day = ends({ period: "custom", from: "2026-11-25", to: "2026-11-25" }, now);
  assert.equal(day && day.to - day.from, 24 * HOUR);
  assert.equal(grain({ from: 0, to: 72 * HOUR }), "hour");
  assert.equal(grain({ from: 0, to: 7 * 24 * HOUR }), "day");
  assert.deepEqual(lastWeek(now), { from: "2026-11-19", to: "2026-11-25" });
  assert.equal(
    reportPath({ from: 0, to: HOUR }, "key", "csv"),
    "v1/reports/cost?from=1970-01-01T00%3A00%3A00.000Z&to=1970-01-01T01%3A00%3A00.000Z&group_by=key&format=csv",
  );
});

/** @param {import("../../../coordinator/src/web/core/dom.js").Child} child @returns {string} */
const words = (child) => (typeof child === "string" ? child : child.children.map(words).join(""));

test("two slots at 15.7 cents an hour: the marginal figure, start-up, idle time and what was sent", () => {
  const total = row({
    delivered_minutes: 60,
    failed_minutes: 2,
    machine_hours: 1,
    busy_share: 0.5,
    starting_share: 0.1,
    idle_share: 0.4,
    cost_usd: 0.157,
    usd_per_minute: 0.157 / 60,
    marginal_usd_per_minute: 0.157 / 120,
    egress_gb: 1.5,
    egress_usd: 0.135,
    sessions: 3,
  });
  const split = { ...report([row({ ...total, group: "key_1", label: "shop" })]), total };
  const told = words(answers({ ...report([]), total }, split, "key", "today"));
  assert.match(told, /\$0\.0013 with every slot taken/);
  assert.match(told, /\$0\.00262 a minute/);
  assert.match(told, /40% of machine time/);
  assert.match(told, /1\.00 machine hours, \$0\.157 in all, 10% starting/);
  assert.match(told, /1\.50 GB sent to viewers, \$0\.135 beside the machines/);
  assert.match(told, /2\.00 min failed/);
  const table = words(splitTable(split, signedInState(), /** @type {any} */ ({})));
  for (const column of ["Starting", "Idle", "Sent, GB", "10%", "1.50"]) assert.ok(table.includes(column), column);
});
