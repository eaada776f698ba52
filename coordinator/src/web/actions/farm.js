/**
 * What an operator does: drain a worker, cancel a session, choose what the cost report covers.
 *
 * @import { Store } from "../core/store.js"
 * @import { CostReport, Farm, Problem, Session, Worker } from "../core/types.js"
 * @import { CostState, FarmState, State } from "../state/state.js"
 */
import { ask, serverNow } from "../core/api.js";
import { count, shortId } from "../core/format.js";
import {
  cancelChanged,
  costArrived,
  costAsked,
  costEdited,
  costFailed,
  drainChanged,
  drainRead,
  drainStarted,
  farmArrived,
  filterChosen,
} from "../state/farm.js";
import { announced } from "../state/page.js";
import { ends, grain, reportPath } from "../state/period.js";
import { sessionArrived } from "../state/sessions.js";

/**
 * @param {Store<State>} store
 * @param {{failed: (error: unknown) => Problem}} lists
 */
export function farmActions(store, lists) {
  /** Only the last report that was asked for counts. */
  let asked = 0;

  return {
    /** @param {string|null} id asks first; null takes the question back */
    askDrain(id) {
      store.update(drainChanged, id === null ? null : { id, busy: false, problem: null });
    },

    /** @param {string} id */
    async drain(id) {
      store.update(drainChanged, { id, busy: true, problem: null });
      try {
        const path = `v1/workers/${encodeURIComponent(id)}/drain`;
        const { worker, moving } = /** @type {{worker: Worker, moving: string[]}} */ (await ask("POST", path));
        store.update(drainStarted, id, worker.name || shortId(id), moving);
        store.update(announced, `Draining. ${count(moving.length, "session")} to move.`);
        store.update(farmArrived, /** @type {Farm} */ (await ask("GET", "v1/workers")), performance.now());
      } catch (error) {
        store.update(drainChanged, { id, busy: false, problem: lists.failed(error) });
      }
    },

    /** @param {string} id a worker whose drain was read of */
    dismissDrain(id) {
      store.update(drainRead, id);
    },

    /** @param {FarmState["filter"]} filter */
    filter(filter) {
      store.update(filterChosen, filter);
    },

    /** @param {string} id */
    async cancelSession(id) {
      store.update(cancelChanged, { id, busy: true, problem: null });
      try {
        const told = /** @type {Session|null} */ (await ask("DELETE", `v1/sessions/${encodeURIComponent(id)}`));
        if (told) store.update(sessionArrived, told, performance.now());
        store.update(cancelChanged, null);
        store.update(announced, "Cancelling the session");
      } catch (error) {
        store.update(cancelChanged, { id, busy: false, problem: lists.failed(error) });
      }
    },

    dismissCancel() {
      store.update(cancelChanged, null);
    },

    /** @param {Partial<CostState>} change what is shown otherwise; a custom period waits for both its days */
    async cost(change = {}) {
      const period = ends({ ...store.get().cost, ...change }, serverNow());
      if (period === null) {
        store.update(costEdited, { ...change, phase: "ready", problem: null });
        return;
      }
      store.update(costAsked, change);
      asked += 1;
      const mine = asked;
      try {
        const [series, split] = /** @type {[CostReport, CostReport]} */ (
          await Promise.all([
            ask("GET", reportPath(period, grain(period), "json")),
            ask("GET", reportPath(period, store.get().cost.group, "json")),
          ])
        );
        if (mine === asked) store.update(costArrived, series, split);
      } catch (error) {
        if (mine === asked) store.update(costFailed, lists.failed(error));
      }
    },
  };
}
