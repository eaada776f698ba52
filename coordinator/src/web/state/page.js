/**
 * Transitions of the page itself: view, key, links, clock, live region.
 *
 * @import { KeyInfo, Problem, Retention } from "../core/types.js"
 * @import { Link } from "../core/feed.js"
 * @import { State, View } from "./state.js"
 */

/** @param {State} state @param {View} view @returns {State} */
export const viewOpened = (state, view) => (state.view === view ? state : { ...state, view });

/** @param {State} state @param {number} now @returns {State} */
export const clockMoved = (state, now) => ({ ...state, now });

/** @param {State} state @param {string} said @returns {State} */
export const announced = (state, said) => (state.said === said ? state : { ...state, said });

/** @param {State} state @param {KeyInfo} key @returns {State} */
export const signedIn = (state, key) =>
  state.auth.phase === "in" && state.auth.key?.id === key.id
    ? state
    : { ...state, auth: { phase: "in", key, busy: false, problem: null } };

/**
 * Nobody is signed in: whatever the key could see is forgotten, what the user picked stays.
 *
 * @param {State} state
 * @param {Problem|null} problem why, if it is not the first visit
 * @returns {State}
 */
export const signedOut = (state, problem) => ({
  ...state,
  auth: { phase: "out", key: null, busy: false, problem },
  sessions: { phase: "idle", byId: {}, problem: null, next: null },
  avatars: { ...state.avatars, phase: "idle", list: [], problem: null },
  farm: { ...state.farm, snapshot: null },
  cost: { ...state.cost, phase: "idle", series: null, split: null },
});

/** @param {State} state @param {Problem} problem @returns {State} */
export const unreachable = (state, problem) => ({
  ...state,
  auth: { phase: "unreachable", key: null, busy: false, problem },
});

/** @param {State} state @param {Retention} kept @returns {State} */
export const agesTold = (state, kept) => ({ ...state, kept });

/** @param {State} state @returns {State} */
export const signingIn = (state) => ({ ...state, auth: { ...state.auth, busy: true, problem: null } });

/** @param {State} state @param {"farm"|"session"} which @param {Link|"off"} link @returns {State} */
export const linkChanged = (state, which, link) => ({ ...state, links: { ...state.links, [which]: link } });
