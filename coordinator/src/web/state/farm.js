/**
 * Transitions of Farm and Cost.
 *
 * @import { CostReport, Farm, Problem, Session } from "../core/types.js"
 * @import { CostState, FarmState, State } from "./state.js"
 */
import { paced } from "./pace.js";
import { newestFirst } from "./sessions.js";

/** Drains whose outcome is kept for reading. */
const NOTED_DRAINS = 5;

/** @param {State} state @param {Farm} snapshot @param {number} now @returns {State} */
export function farmArrived(state, snapshot, now) {
  const paces = Object.fromEntries(snapshot.workers.map((w) => [w.id, paced(state.farm.paces[w.id], w, now)]));
  return farm(state, { snapshot, at: now, paces });
}

/** @param {State} state @param {FarmState["draining"]} draining @returns {State} */
export const drainChanged = (state, draining) => farm(state, { draining });

/**
 * @param {State} state
 * @param {string} worker
 * @param {string} name the worker's, for when it is gone
 * @param {string[]} ids sessions that move
 * @returns {State}
 */
export function drainStarted(state, worker, name, ids) {
  const { [worker]: _, ...others } = state.farm.moved;
  const moved = Object.fromEntries([...Object.entries(others), [worker, { name, ids }]].slice(-NOTED_DRAINS));
  return farm(state, { draining: null, moved });
}

/** @param {State} state @param {string} worker @returns {State} */
export function drainRead(state, worker) {
  const { [worker]: _, ...moved } = state.farm.moved;
  return farm(state, { moved });
}

/** @param {State} state @param {FarmState["filter"]} filter @returns {State} */
export const filterChosen = (state, filter) => farm(state, { filter });

/** @param {State} state @param {FarmState["cancelling"]} cancelling @returns {State} */
export const cancelChanged = (state, cancelling) => farm(state, { cancelling });

/** @param {State} state @param {Partial<FarmState>} change @returns {State} */
const farm = (state, change) => ({ ...state, farm: { ...state.farm, ...change } });

/**
 * The sessions of the table.
 *
 * @param {State} state
 * @returns {Session[]} newest first
 */
export function listedSessions(state) {
  const { filter } = state.farm;
  const wanted = (/** @type {Session} */ s) => filter === "all" || (filter === "ended") === (s.state === "ended");
  return newestFirst(Object.values(state.sessions.byId).filter(wanted));
}

/** @param {State} state @param {Partial<CostState>} change @returns {State} */
export const costAsked = (state, change) => cost(state, { ...change, phase: "loading", problem: null });

/** @param {State} state @param {Partial<CostState>} change @returns {State} */
export const costEdited = (state, change) => cost(state, change);

/** @param {State} state @param {CostReport} series @param {CostReport} split @returns {State} */
export const costArrived = (state, series, split) => cost(state, { series, split, phase: "ready", problem: null });

/** @param {State} state @param {Problem} problem @returns {State} */
export const costFailed = (state, problem) => cost(state, { phase: "failed", problem });

/** @param {State} state @param {Partial<CostState>} change @returns {State} */
const cost = (state, change) => ({ ...state, cost: { ...state.cost, ...change } });
