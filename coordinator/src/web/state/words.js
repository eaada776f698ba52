/**
 * States as words, shapes and measures: one place, so that every view says the same.
 *
 * @import { EndReason, Session, SessionState, SlotSession, Worker } from "../core/types.js"
 *
 * @typedef {"waiting"|"working"|"done"|"stopped"|"failed"|"idle"|"listening"|"draining"|"lost"} Shape see parts/glyph.js
 * @typedef {{word: string, measure: string|null, percent: number|null, shape: Shape}} Words percent is null if unknown
 */
import { ordinal } from "../core/format.js";

/** @typedef {{word: string, shape: Shape, remedy: string|null}} EndWords */

/** @type {Record<EndReason, EndWords>} */
const ENDS = {
  completed: { word: "Done", shape: "done", remedy: null },
  cancelled: { word: "Cancelled", shape: "stopped", remedy: null },
  bad_input: { word: "Refused", shape: "failed", remedy: "Use another picture or recording, then render again." },
  no_capacity: {
    word: "No slot in time",
    shape: "failed",
    remedy: "Every slot was taken for as long as it could wait. Try again, or let the farm grow.",
  },
  max_duration: { word: "Ran too long", shape: "failed", remedy: "Use a shorter recording, or a smaller size." },
  lost: { word: "Lost", shape: "failed", remedy: "Its workers went away each time it was placed. Try again." },
  failed: {
    word: "Failed",
    shape: "failed",
    remedy: "Try again; if it stays, give the ids below to whoever runs the farm.",
  },
  idle_timeout: { word: "Went quiet", shape: "stopped", remedy: null },
  participant_absent: { word: "Nobody came", shape: "stopped", remedy: null },
  participant_left: { word: "Viewer left", shape: "done", remedy: null },
};

/** Where a live session's end means something else: it is over when somebody ends it. @type {Partial<Record<EndReason, EndWords>>} */
const LIVE_ENDS = {
  completed: { word: "Ended", shape: "done", remedy: null },
  cancelled: { word: "Ended", shape: "done", remedy: null },
  bad_input: { word: "Refused", shape: "failed", remedy: "Use another face, then talk again." },
  max_duration: { word: "Time is up", shape: "stopped", remedy: null },
};

/** @param {EndReason} reason @param {string} kind @returns {EndWords} */
const endWords = (reason, kind) => (kind === "live" ? LIVE_ENDS[reason] : undefined) ?? ENDS[reason];

/** Sentences for ends that bring none. @type {Record<EndReason, string>} */
const SENTENCES = {
  completed: "The video is ready.",
  cancelled: "It was cancelled.",
  bad_input: "What was given could not be used.",
  no_capacity: "No slot became free in time.",
  max_duration: "It ran longer than it may.",
  lost: "Its worker was lost too often.",
  failed: "Something failed in the farm.",
  idle_timeout: "Nothing was said for too long.",
  participant_absent: "Nobody came to watch in time.",
  participant_left: "The last viewer left.",
};

/** @type {Partial<Record<EndReason, string>>} */
const LIVE_SENTENCES = { completed: "It has ended.", cancelled: "It was ended." };

/**
 * @param {{state: SessionState, kind: string, progress: Session["progress"], queue_position?: number|null, end?: Session["end"]}} session
 * @param {number|null} [timesRealTime]
 * @returns {Words}
 */
export function sessionWords(session, timesRealTime = null) {
  const { percent } = session.progress;
  switch (session.state) {
    case "requested": {
      const place = session.queue_position ?? null;
      const measure = place === null ? null : `${ordinal(place)} in line`;
      return { word: "Waiting for a slot", measure, percent: null, shape: "waiting" };
    }
    case "assigned":
      return { word: "Slot found, starting", measure: null, percent: null, shape: "waiting" };
    case "preparing":
      return { word: "Analysing the face", measure: null, percent: null, shape: "working" };
    case "rendering": {
      const parts = [percent === null ? null : `${Math.floor(percent)}%`, times(timesRealTime)];
      const measure = parts.filter((p) => p !== null).join(" · ") || null;
      return { word: "Rendering", measure, percent, shape: "working" };
    }
    case "live":
      return { word: "Live", measure: null, percent: null, shape: "working" };
    case "draining": {
      const word = session.kind === "live" ? "Ending" : "Storing the result";
      return { word, measure: null, percent: 100, shape: "working" };
    }
    case "ended": {
      const end = endWords(session.end?.reason ?? "failed", session.kind);
      return { word: end.word, measure: null, percent: end.shape === "done" ? 100 : null, shape: end.shape };
    }
  }
}

/** @param {number|null} times */
function times(times) {
  if (times === null) return null;
  return `${times >= 10 ? Math.round(times) : times.toFixed(1)}× real time`;
}

/**
 * Why it ended, as a sentence.
 *
 * @param {NonNullable<Session["end"]>} end
 * @param {string} [kind] of the session
 * @returns {string}
 */
export function endSentence(end, kind = "render") {
  const told = end.detail?.trim();
  if (told) return capital(told);
  return (kind === "live" ? LIVE_SENTENCES[end.reason] : undefined) ?? SENTENCES[end.reason];
}

/**
 * @param {NonNullable<Session["end"]>} end
 * @param {string} [kind] of the session
 * @returns {string|null}
 */
export const endRemedy = (end, kind = "render") => endWords(end.reason, kind).remedy;

/**
 * Servers speak in lower case without a full stop; a page speaks in sentences.
 *
 * @param {string} text
 * @returns {string}
 */
export function capital(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?)]$/.test(first) ? first : `${first}.`;
}

/** @type {Record<Worker["state"], Words>} */
const WORKERS = {
  idle: { word: "Idle", measure: null, percent: null, shape: "idle" },
  busy: { word: "Busy", measure: null, percent: null, shape: "working" },
  draining: { word: "Draining", measure: null, percent: null, shape: "draining" },
  lost: { word: "Lost", measure: null, percent: null, shape: "lost" },
};

/** @param {Worker["state"]} state @returns {Words} */
export const workerWords = (state) => WORKERS[state];

/** @param {SlotSession} session @returns {Words} */
export const slotWords = (session) => sessionWords(session);
