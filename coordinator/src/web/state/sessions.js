/**
 * Transitions of sessions and avatars as the server tells of them.
 *
 * @import { Avatar, Problem, Session } from "../core/types.js"
 * @import { State } from "./state.js"
 */

/** Most sessions that the page remembers; the oldest ended ones go first. */
export const REMEMBERED = 300;
/** A speed is taken over this much time, ms. */
const TRAIL_MS = 6_000;
/** @type {Record<Session["state"], number>} */
const RANK = { requested: 0, assigned: 1, preparing: 2, rendering: 3, live: 3, draining: 4, ended: 5 };

/**
 * Whether `next` is later news than `known`: streams and answers race, and the late one must not win.
 *
 * @param {Session|undefined} known
 * @param {Session} next
 * @returns {boolean}
 */
export function isNews(known, next) {
  if (known === undefined) return true;
  if (known.state === "ended") return next.state === "ended";
  if (next.fence !== known.fence) return next.fence > known.fence;
  const step = RANK[next.state] - RANK[known.state];
  if (step !== 0) return step > 0;
  return next.updated >= known.updated && next.progress.frames_done >= known.progress.frames_done;
}

/**
 * One session has changed.
 *
 * @param {State} state
 * @param {Session} session
 * @param {number} now ms
 * @returns {State}
 */
export function sessionArrived(state, session, now) {
  const known = state.sessions.byId[session.id];
  if (!isNews(known, session)) return state;
  const byId = bounded({
    ...state.sessions.byId,
    [session.id]: { ...session, queue_position: placeInLine(known, session) },
  });
  const next = { ...state, sessions: { ...state.sessions, byId } };
  if (session.id !== state.studio.current) return next;
  return { ...next, studio: { ...state.studio, trails: trailed(state.studio.trails, session, now) } };
}

/**
 * Only streams know the place in the queue; a list must not take it away.
 *
 * @param {Session|undefined} known
 * @param {Session} next
 */
function placeInLine(known, next) {
  if (next.state !== "requested") return null;
  return (
    next.queue_position ?? (known?.state === "requested" && known.fence === next.fence ? known.queue_position : null)
  );
}

/**
 * A list has come.
 *
 * @param {State} state
 * @param {Session[]} list
 * @param {string|null} next
 * @param {number} now
 * @returns {State}
 */
export function sessionsListed(state, list, next, now) {
  const told = list.reduce((s, session) => sessionArrived(s, session, now), state);
  return { ...told, sessions: { ...told.sessions, phase: "ready", problem: null, next } };
}

/** @param {State} state @param {Problem} problem @returns {State} */
export const sessionsFailed = (state, problem) => ({
  ...state,
  sessions: { ...state.sessions, phase: "failed", problem },
});

/**
 * @param {Record<string, Session>} byId
 * @returns {Record<string, Session>}
 */
function bounded(byId) {
  const all = Object.values(byId);
  if (all.length <= REMEMBERED) return byId;
  const oldest = newestFirst(all.filter((s) => s.state === "ended")).slice(-1);
  return Object.fromEntries(all.filter((s) => !oldest.includes(s)).map((s) => [s.id, s]));
}

/**
 * @param {Record<string, {t: number, frames: number}[]>} trails
 * @param {Session} session
 * @param {number} now
 */
function trailed(trails, session, now) {
  const { frames_done: frames } = session.progress;
  if (session.state !== "rendering") return { ...trails, [session.id]: [] };
  const before = (trails[session.id] ?? []).filter((p) => p.frames <= frames && now - p.t <= TRAIL_MS);
  return { ...trails, [session.id]: [...before, { t: now, frames }] };
}

/**
 * How many seconds of video a second makes.
 *
 * @param {{t: number, frames: number}[]|undefined} trail
 * @param {number} fps
 * @returns {number|null} null until two points are far enough apart
 */
export function speed(trail, fps) {
  const first = trail?.[0];
  const last = trail?.[trail.length - 1];
  if (first === undefined || last === undefined || last.t - first.t < 400 || last.frames <= first.frames) return null;
  return (last.frames - first.frames) / fps / ((last.t - first.t) / 1000);
}

/**
 * @param {Session[]} list
 * @returns {Session[]} by time of creation; ids, which are made in order of time, break ties
 */
export function newestFirst(list) {
  return [...list].sort((a, b) => (a.created === b.created ? cmp(b.id, a.id) : cmp(b.created, a.created)));
}

/** @param {string} a @param {string} b */
const cmp = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** @param {State} state @param {Avatar[]} list @returns {State} */
export const avatarsListed = (state, list) => ({
  ...state,
  avatars: { ...state.avatars, phase: "ready", list, problem: null },
});

/** @param {State} state @param {Problem} problem @returns {State} */
export const avatarsFailed = (state, problem) => ({
  ...state,
  avatars: { ...state.avatars, phase: "failed", problem },
});

/** @param {State} state @param {Avatar} avatar @returns {State} */
export function avatarArrived(state, avatar) {
  const known = state.avatars.list.some((a) => a.id === avatar.id);
  const list = known
    ? state.avatars.list.map((a) => (a.id === avatar.id ? avatar : a))
    : [avatar, ...state.avatars.list];
  return { ...state, avatars: { ...state.avatars, list } };
}

/** @param {State} state @param {string} id @returns {State} */
export function avatarGone(state, id) {
  const list = state.avatars.list.filter((a) => a.id !== id);
  const avatarId = state.studio.avatarId === id ? null : state.studio.avatarId;
  return { ...state, avatars: { ...state.avatars, list, deleting: null }, studio: { ...state.studio, avatarId } };
}

/** @param {State} state @param {Partial<State["avatars"]["adding"]>} change @returns {State} */
export const addingChanged = (state, change) => ({
  ...state,
  avatars: { ...state.avatars, adding: { ...state.avatars.adding, ...change } },
});

/** @param {State} state @param {State["avatars"]["deleting"]} deleting @returns {State} */
export const deletingChanged = (state, deleting) => ({ ...state, avatars: { ...state.avatars, deleting } });
