/**
 * Farm: what waits on top, a row a worker, the sessions below.
 *
 * @import { Actions } from "../actions/index.js"
 * @import { Farm } from "../core/types.js"
 * @import { State } from "../state/state.js"
 */
import { h } from "../core/dom.js";
import { age, ago } from "../core/format.js";
import { sessionTable } from "./sessions.js";
import { moving, workerRow } from "./worker.js";

/**
 * @param {State} state
 * @param {Actions} act
 */
export function farmView(state, act) {
  const { snapshot } = state.farm;
  return [
    h(
      "div",
      { class: "row spread wrap", key: "head" },
      h("h1", { class: "view-title" }, "Farm"),
      snapshot !== null && state.links.farm === "lost"
        ? h("p", { class: "muted num" }, `As it was ${ago(waited(state))}`)
        : null,
    ),
    snapshot === null
      ? h(
          "p",
          { class: "muted", key: "loading" },
          state.links.farm === "lost"
            ? "The farm cannot be seen: the connection is lost. Trying again…"
            : "Looking at the farm…",
        )
      : [figures(snapshot, waited(state)), workers(snapshot, state, act)],
    sessionTable(state, act),
  ];
}

/** Time since the snapshot came, ms: ages go on while nothing changes. @param {State} state */
const waited = (state) => Math.max(0, performance.now() - state.farm.at);

/** @param {Farm} farm @param {number} waitedMs */
function figures(farm, waitedMs) {
  const { queue, slots } = farm;
  const oldest = queue.oldest_wait_ms === null || queue.length === 0 ? "–" : age(queue.oldest_wait_ms + waitedMs);
  const here = farm.workers.filter((w) => w.state !== "lost").length;
  return h(
    "dl",
    { class: "figures", key: "figures" },
    figure("Waiting", String(queue.length), `of at most ${queue.limit}`),
    figure("Oldest wait", oldest, queue.length === 0 ? "nobody waits" : "in the queue"),
    figure("Slots taken", `${slots.taken}`, `of ${slots.total}`),
    figure(
      "Workers",
      String(here),
      wanted(farm, here),
    ),
  );
}

/** @param {Farm} farm @param {number} here */
function wanted(farm, here) {
  if (!farm.scaled) return "all there are";
  return here === farm.desired_workers ? "as many as wanted" : `${farm.desired_workers} wanted`;
}

/** @param {string} what @param {string} value @param {string} more */
function figure(what, value, more) {
  return h(
    "div",
    { class: "figure", key: what },
    h("dt", null, what),
    h("dd", null, h("span", { class: "figure-value" }, value), h("span", { class: "muted" }, more)),
  );
}

/** @param {Farm} farm @param {State} state @param {Actions} act */
function workers(farm, state, act) {
  const gone = Object.keys(state.farm.moved).filter((id) => !farm.workers.some((w) => w.id === id));
  return h(
    "section",
    { class: "workers", key: "workers", "aria-labelledby": "workers-title" },
    h("h2", { id: "workers-title" }, "Workers"),
    farm.workers.length === 0
      ? h(
          "div",
          { class: "empty card" },
          h(
            "p",
            null,
            "No worker is here. Sessions wait until one comes; start one, or see why none starts in its log.",
          ),
        )
      : h(
          "ul",
          { class: "worker-list" },
          farm.workers.map((worker) => workerRow(worker, waited(state), state, act)),
        ),
    gone.map((id) => moving(id, state, act)),
  );
}
