import assert from "node:assert/strict";
import test from "node:test";
import * as f from "../../../coordinator/src/web/core/format.js";

test("sizes take the unit that leaves two or three digits", () => {
  assert.deepEqual(
    [0, 999, 1000, 9940, 9960, 214_712, 999_499, 999_600, 64_000_000, 5_200_000_000, Number.NaN].map(f.bytes),
    ["0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "215 kB", "999 kB", "1.0 MB", "64 MB", "5.2 GB", "unknown size"],
  );
});

test("lengths show their two largest units", () => {
  assert.deepEqual([-5, 0, 4240, 9949, 10_000, 59_600, 65_000, 3_599_000, 12_000_000, 187_200_000].map(f.duration), [
    "0 s",
    "0.0 s",
    "4.2 s",
    "9.9 s",
    "10 s",
    "1 min 00 s",
    "1 min 05 s",
    "59 min 59 s",
    "3 h 20 min",
    "2 d 4 h",
  ]);
});

test("ages in lists have one unit and are never negative", () => {
  assert.deepEqual([-4000, 4000, 40_000, 200_000, 7_300_000, 200_000_000].map(f.ago), [
    "just now",
    "just now",
    "40 s ago",
    "3 min ago",
    "2 h ago",
    "2 d ago",
  ]);
});

test("small sums of money keep three digits that matter", () => {
  assert.deepEqual([0, 0.0013083, 0.00592, 0.157, 0.994, 0.9999, 12.4, 1234.5, null].map(f.usd), [
    "$0.00",
    "$0.00131",
    "$0.00592",
    "$0.157",
    "$0.994",
    "$1.00",
    "$12.40",
    "$1,235",
    "unpriced",
  ]);
});

test("a rate is an estimate: two digits that matter", () => {
  assert.deepEqual([0, 0.0013083, 0.00592, 0.157, 1.3, 12.345].map(f.rate), [
    "$0.00",
    "$0.0013",
    "$0.0059",
    "$0.16",
    "$1.30",
    "$12.35",
  ]);
});

test("shares and quantities", () => {
  assert.deepEqual([null, 0, 0.004, 0.0999, 0.384, 1].map(f.percent), ["–", "0%", "0.4%", "10%", "38%", "100%"]);
  assert.deepEqual([0, 0.001, 0.25, 6.2, 12.34, 1284.3, Number.NaN].map(f.quantity), [
    "0",
    "<0.01",
    "0.25",
    "6.20",
    "12.3",
    "1,284",
    "–",
  ]);
});

test("ordinals, counts and short ids", () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(f.ordinal), [
    "1st",
    "2nd",
    "3rd",
    "4th",
    "11th",
    "12th",
    "13th",
    "21st",
    "102nd",
    "111th",
  ]);
  assert.equal(f.count(1, "session"), "1 session");
  assert.equal(f.count(2000, "session"), "2,000 sessions");
  assert.equal(f.shortId("ses_0197b2c4d5e67f8091a2b3c4d5e6f708"), "ses_…e6f708");
  assert.equal(f.shortId("ses_12345678"), "ses_12345678");
});
