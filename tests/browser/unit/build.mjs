/**
 * Values that the unit tests are made of.
 *
 * @import { CostRow, Session } from "../../../coordinator/src/web/core/types.js"
 * @import { State } from "../../../coordinator/src/web/state/state.js"
 */
import { signedIn } from "../../../coordinator/src/web/state/page.js";
import { initialState } from "../../../coordinator/src/web/state/state.js";

/** @param {Partial<Session>} [change] @returns {Session} */
export function session(change = {}) {
  return {
    id: "ses_1",
    kind: "render",
    state: "requested",
    avatar_id: "avt_1",
    key: "key_1",
    fence: 1,
    queue_position: null,
    worker: null,
    slot: null,
    progress: { frames_done: 0, frames_total: 0, percent: null },
    end: null,
    result: null,
    options: {
      fps: 25,
      size: 512,
      size_up_to: null,
      crop: "none",
      preset: "balanced",
      seed: 1,
      head: true,
      motion: 100,
      expression: "neutral",
      blinks: true,
    },
    created: "2026-11-25T16:00:00.000Z",
    updated: "2026-11-25T16:00:00.000Z",
    ...change,
  };
}

/** @param {number} done @param {number} total */
export const frames = (done, total) => ({ frames_done: done, frames_total: total, percent: (100 * done) / total });

/** @param {string[]} [scopes] @returns {State} */
export function signedInState(scopes = ["sessions", "farm", "reports"]) {
  return signedIn(initialState("studio", 0), { id: "key_1", name: "first", scopes });
}

/** @param {Partial<CostRow>} [change] @returns {CostRow} */
export function row(change = {}) {
  return {
    delivered_minutes: 0,
    failed_minutes: 0,
    machine_hours: 0,
    busy_share: null,
    starting_share: null,
    idle_share: null,
    cost_usd: null,
    usd_per_minute: null,
    marginal_usd_per_minute: null,
    egress_gb: 0,
    egress_usd: 0,
    sessions: 0,
    ...change,
  };
}
