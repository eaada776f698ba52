/**
 * All that the views can ask for.
 *
 * @import { Store } from "../core/store.js"
 * @import { State } from "../state/state.js"
 */
import { farmActions } from "./farm.js";
import { listActions } from "./lists.js";
import { liveActions } from "./live.js";
import { pageActions } from "./page.js";
import { recorderActions } from "./recorder.js";
import { studioActions } from "./studio.js";

/** @param {Store<State>} store */
export function createActions(store) {
  const page = pageActions(store);
  const lists = listActions(store, page);
  const studio = studioActions(store, lists);
  return {
    page,
    lists,
    studio,
    recorder: recorderActions(store, (file) => studio.pickSpeech(file, true)),
    live: liveActions(store, lists),
    farm: farmActions(store, lists),
  };
}

/** @typedef {ReturnType<typeof createActions>} Actions */
