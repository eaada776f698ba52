/**
 * The whole state of the page, and where it starts. Transitions beside this file make new states; nothing else does.
 *
 * @import { Avatar, CostReport, Farm, KeyInfo, Options, Problem, Retention, Session } from "../core/types.js"
 * @import { Link } from "../core/feed.js"
 * @import { Pace } from "./pace.js"
 * @import { Talk } from "./live.js"
 * @import { Recorder } from "./recorder.js"
 *
 * @typedef {"studio"|"farm"|"cost"} View
 * @typedef {"idle"|"loading"|"ready"|"failed"} Phase of something that is fetched
 *
 * @typedef {{file: Blob, name: string, url: string, video: boolean, recorded?: boolean}} Pick a file that the user gave, or
 *   recorded here; `url` is an object URL
 *
 * @typedef {object} Inputs what a render was made of, kept in this tab so that it can be tried again
 * @property {Pick|null} portrait
 * @property {string|null} avatarId
 * @property {Pick} speech
 * @property {Options} options
 *
 * @typedef {object} Studio
 * @property {"live"|"video"} mode talk live, or make a video
 * @property {Pick|null} portrait a picture chosen for the next render; then `avatarId` is null
 * @property {string|null} avatarId
 * @property {Pick|null} speech
 * @property {Options} options
 * @property {{percent: number, sample: boolean}|null} sending an upload under way
 * @property {string|null} current the session on the stage
 * @property {Problem|null} problem of the last try to start or cancel
 * @property {Record<string, {t: number, frames: number}[]>} trails frames done over time (ms), by session
 * @property {Record<string, Inputs>} inputs by session
 * @property {Record<string, string>} requestIds by session: of the request that made it
 *
 * @typedef {object} Adding the panel that adds an avatar
 * @property {boolean} open
 * @property {number|null} percent of an upload under way
 * @property {Problem|null} problem
 *
 * @typedef {object} Avatars
 * @property {Phase} phase
 * @property {Avatar[]} list newest first
 * @property {Problem|null} problem
 * @property {Adding} adding
 * @property {{id: string, busy: boolean, problem: Problem|null}|null} deleting asked, not yet done
 *
 * @typedef {object} Sessions
 * @property {Phase} phase
 * @property {Record<string, Session>} byId
 * @property {Problem|null} problem
 * @property {string|null} next the id before which older ones can be asked for
 *
 * @typedef {object} FarmState
 * @property {Farm|null} snapshot
 * @property {number} at when it came, ms of this clock
 * @property {Record<string, Pace>} paces by worker
 * @property {{id: string, busy: boolean, problem: Problem|null}|null} draining asked, not yet done
 * @property {Record<string, {name: string, ids: string[]}>} moved sessions that a drain waits for or hands over, by worker
 * @property {"open"|"ended"|"all"} filter
 * @property {{id: string, busy: boolean, problem: Problem|null}|null} cancelling
 *
 * @typedef {"24h"|"7d"|"30d"|"custom"} Period
 * @typedef {"avatar"|"key"|"kind"|"instance_type"} Group
 *
 * @typedef {object} CostState
 * @property {Period} period
 * @property {string} from of a custom period: a day, "2026-11-25"
 * @property {string} to the last day of it
 * @property {Group} group
 * @property {Phase} phase
 * @property {CostReport|null} series by hour or day
 * @property {CostReport|null} split by `group`
 * @property {Problem|null} problem
 *
 * @typedef {object} Auth
 * @property {"checking"|"in"|"out"|"unreachable"} phase
 * @property {KeyInfo|null} key
 * @property {boolean} busy
 * @property {Problem|null} problem
 *
 * @typedef {object} State
 * @property {View} view
 * @property {number} now ms of this clock, moved once a second
 * @property {Auth} auth
 * @property {{farm: Link|"off", session: Link|"off"}} links
 * @property {string} said what the live region says
 * @property {Studio} studio
 * @property {Talk} talk
 * @property {Recorder} recorder
 * @property {Avatars} avatars
 * @property {Sessions} sessions
 * @property {FarmState} farm
 * @property {CostState} cost
 * @property {Retention|null} kept how long things are kept, when that is known
 */

import { NOT_TALKING } from "./live.js";
import { NOT_RECORDING } from "./recorder.js";

/** @type {Options} */
export const DEFAULT_OPTIONS = {
  fps: 25,
  size: null,
  crop: "none",
  preset: "balanced",
  seed: 1,
  head: true,
  motion: 100,
  expression: "neutral",
  blinks: true,
};

/**
 * @param {View} view
 * @param {number} now
 * @returns {State}
 */
export function initialState(view, now) {
  return {
    view,
    now,
    auth: { phase: "checking", key: null, busy: false, problem: null },
    links: { farm: "off", session: "off" },
    said: "",
    studio: {
      mode: "live",
      portrait: null,
      avatarId: null,
      speech: null,
      options: DEFAULT_OPTIONS,
      sending: null,
      current: null,
      problem: null,
      trails: {},
      inputs: {},
      requestIds: {},
    },
    talk: NOT_TALKING,
    recorder: NOT_RECORDING,
    avatars: {
      phase: "idle",
      list: [],
      problem: null,
      adding: { open: false, percent: null, problem: null },
      deleting: null,
    },
    sessions: { phase: "idle", byId: {}, problem: null, next: null },
    farm: { snapshot: null, at: now, paces: {}, draining: null, moved: {}, filter: "open", cancelling: null },
    kept: null,
    cost: { period: "24h", from: "", to: "", group: "avatar", phase: "idle", series: null, split: null, problem: null },
  };
}

/**
 * @param {State} state
 * @param {string} scope
 * @returns {boolean} whether the key may do what the scope names
 */
export function may(state, scope) {
  return state.auth.key?.scopes.includes(scope) ?? false;
}
