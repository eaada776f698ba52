/**
 * Transitions of the Studio.
 *
 * @import { Options, Problem, Session } from "../core/types.js"
 * @import { Inputs, Pick, State } from "./state.js"
 */
import { may } from "./state.js";
import { newestFirst } from "./sessions.js";

/** Renders whose inputs are kept for another try. */
const KEPT_INPUTS = 8;

/** @param {State} state @param {State["studio"]["mode"]} mode @returns {State} */
export const modeChosen = (state, mode) =>
  state.studio.mode === mode ? state : studio(state, { mode, problem: null });

/** @param {State} state @param {Pick|null} portrait @returns {State} */
export const portraitPicked = (state, portrait) =>
  studio(state, { portrait, avatarId: null, current: null, problem: null });

/** @param {State} state @param {string|null} avatarId @returns {State} */
export const avatarChosen = (state, avatarId) =>
  studio(state, { avatarId, portrait: null, current: null, problem: null });

/** @param {State} state @param {Pick|null} speech @returns {State} */
export const speechPicked = (state, speech) => studio(state, { speech, problem: null });

/** @param {State} state @param {Partial<Options>} change @returns {State} */
export const optionsChanged = (state, change) => studio(state, { options: { ...state.studio.options, ...change } });

/** @param {State} state @param {string|null} current @returns {State} */
export const sessionShown = (state, current) => studio(state, { current, problem: null });

/** @param {State} state @param {boolean} sample @returns {State} */
export const sendingStarted = (state, sample) =>
  studio(state, { sending: { percent: 0, sample }, problem: null, current: null });

/** @param {State} state @param {number} percent @returns {State} */
export const sendingMoved = (state, percent) =>
  state.studio.sending === null ? state : studio(state, { sending: { ...state.studio.sending, percent } });

/** @param {State} state @param {Problem|null} problem null when the user stopped it @returns {State} */
export const sendingFailed = (state, problem) => studio(state, { sending: null, problem });

/** @param {State} state @param {Problem|null} problem @returns {State} */
export const studioFailed = (state, problem) => studio(state, { problem });

/**
 * The server has taken the render.
 *
 * @param {State} state
 * @param {Session} session
 * @param {Inputs} inputs
 * @param {string} requestId
 * @returns {State}
 */
export function renderAccepted(state, session, inputs, requestId) {
  return studio(state, {
    sending: null,
    problem: null,
    current: session.id,
    inputs: lastFew({ ...state.studio.inputs, [session.id]: inputs }),
    requestIds: lastFew({ ...state.studio.requestIds, [session.id]: requestId }),
  });
}

/**
 * @param {State} state
 * @param {Partial<State["studio"]>} change
 * @returns {State}
 */
const studio = (state, change) => ({ ...state, studio: { ...state.studio, ...change } });

/**
 * @template T
 * @param {Record<string, T>} kept
 * @returns {Record<string, T>}
 */
const lastFew = (kept) => Object.fromEntries(Object.entries(kept).slice(-KEPT_INPUTS));

/**
 * The session on the stage.
 *
 * @param {State} state
 * @returns {Session|null}
 */
export function currentSession(state) {
  const { current } = state.studio;
  return current === null ? null : (state.sessions.byId[current] ?? null);
}

/**
 * The user's own renders, newest first.
 *
 * @param {State} state
 * @returns {Session[]}
 */
export function recentRenders(state) {
  const own = state.auth.key?.id;
  const mine = (/** @type {Session} */ s) => s.kind === "render" && (!may(state, "farm") || s.key === own);
  return newestFirst(Object.values(state.sessions.byId).filter(mine)).slice(0, 12);
}

/**
 * @param {State} state
 * @returns {string|null} what is still missing for a render, in words; null when nothing is
 */
export function missing(state) {
  const { portrait, avatarId, speech } = state.studio;
  const face = portrait !== null || avatarId !== null;
  if (!face && speech === null) return "Choose a face and a recording.";
  if (!face) return "Choose a face.";
  if (speech === null) return "Choose a recording.";
  const avatar = state.avatars.list.find((a) => a.id === avatarId);
  if (avatar?.state === "failed") return "This face could not be prepared; choose another.";
  return null;
}
