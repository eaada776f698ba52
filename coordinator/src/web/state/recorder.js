/**
 * Transitions of recording one's own voice.
 *
 * @import { State } from "./state.js"
 *
 * @typedef {object} Recorder
 * @property {"off"|"asking"|"on"} phase "asking": the user is asked for the microphone
 * @property {number} seconds recorded so far
 * @property {{sentence: string, remedy: string|null}|null} failure of the last try
 */

/** The longest recording, seconds. */
export const LONGEST = 600;

/** @type {Recorder} */
export const NOT_RECORDING = { phase: "off", seconds: 0, failure: null };

/** @param {State} state @param {Partial<Recorder>} change @returns {State} */
export const recorderChanged = (state, change) => ({ ...state, recorder: { ...state.recorder, ...change } });

/**
 * Whether somebody could still be recording: elsewhere in the page nothing shows it, so nothing does it.
 *
 * @param {State} state
 * @returns {boolean}
 */
export const mayRecord = (state) =>
  state.auth.phase === "in" && state.view === "studio" && state.studio.mode === "video" && state.studio.speech === null;
