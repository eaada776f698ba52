import assert from "node:assert/strict";
import test from "node:test";
import {
  drainRead,
  drainStarted,
  farmArrived,
  filterChosen,
  listedSessions,
} from "../../../coordinator/src/web/state/farm.js";
import { STEPS, paced, thinLine } from "../../../coordinator/src/web/state/pace.js";
import { sessionArrived } from "../../../coordinator/src/web/state/sessions.js";
import { frames, session, signedInState } from "./build.mjs";

/**
 * @param {Record<string, number>} done frames done by session
 * @returns {import("../../../coordinator/src/web/core/types.js").Worker}
 */
const worker = (done, id = "wrk_1") => ({
  id,
  name: "w",
  engine: "puppet/1",
  instance_type: "local",
  state: "busy",
  frames_per_second: 100,
  up_ms: 0,
  seen_ms_ago: 0,
  slots: Object.entries(done).map(([session, n], slot) => ({
    slot,
    session: {
      id: session,
      avatar_id: "avt_1",
      state: "rendering",
      kind: "render",
      progress: frames(n, 1000),
      age_ms: 0,
    },
  })),
});

/** @param {...import("../../../coordinator/src/web/core/types.js").Worker} workers */
const farm = (...workers) => ({
  workers,
  queue: { length: 0, oldest_wait_ms: null, limit: 10 },
  desired_workers: 1,
  scaled: false,
  slots: { total: 2, taken: 0 },
});

test("a pace counts frames of all slots, and not what was done before a session was seen", () => {
  let pace = paced(undefined, worker({ a: 500 }), 0);
  pace = paced(pace, worker({ a: 550, b: 300 }), 1000);
  pace = paced(pace, worker({ a: 600, b: 360 }), 2000);
  assert.deepEqual(pace.rates, [80]);
  pace = paced(pace, worker({ c: 10 }), 4000);
  assert.deepEqual(pace.rates, [80, 0]);
  for (let i = 0; i < 2 * STEPS; i += 1) pace = paced(pace, worker({ c: 10 }), 6000 + 2000 * i);
  assert.equal(pace.rates.length, STEPS);
});

test("the thin line ends at the right edge and stays inside", () => {
  assert.equal(thinLine([0, 100], 100, 29, 20), "28.0,19.0 29.0,1.0");
  assert.equal(thinLine([], 100, 29, 20), "");
});

test("what a drain moves stays until it is read, also when the worker has gone", () => {
  let state = farmArrived(signedInState(), farm(worker({}), worker({}, "wrk_2")), 0);
  state = drainStarted(state, "wrk_1", "garnet", ["ses_1"]);
  state = farmArrived(state, farm(worker({}, "wrk_2")), 1);
  assert.deepEqual(state.farm.moved, { wrk_1: { name: "garnet", ids: ["ses_1"] } });
  assert.deepEqual(drainRead(state, "wrk_1").farm.moved, {});
  for (let i = 0; i < 20; i += 1) state = drainStarted(state, `wrk_x${i}`, "", []);
  assert.deepEqual(
    Object.keys(state.farm.moved),
    [15, 16, 17, 18, 19].map((i) => `wrk_x${i}`),
    "the last few",
  );
});

test("the table's filter", () => {
  let state = sessionArrived(signedInState(), session(), 0);
  state = sessionArrived(state, session({ id: "ses_2", state: "ended" }), 0);
  const ids = (/** @type {"open"|"ended"|"all"} */ filter) =>
    listedSessions(filterChosen(state, filter)).map((s) => s.id);
  assert.deepEqual([ids("open"), ids("ended"), ids("all")], [["ses_1"], ["ses_2"], ["ses_2", "ses_1"]]);
});
