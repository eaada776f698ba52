/**
 * Transitions of talking live, and what they are called.
 *
 * @import { LiveStatus, Problem, Session } from "../core/types.js"
 * @import { LiveState, LiveStats } from "../live/mouthpiece.js"
 * @import { State } from "./state.js"
 * @import { Words } from "./words.js"
 *
 * @typedef {"off"|"microphone"|"face"|"session"|"connecting"|"live"|"reconnecting"} TalkPhase "microphone": the user is
 *   asked for it; "face": a portrait is sent; "session": one is made; the rest as the client library has it
 *
 * @typedef {object} Failure what failed, so that it can be read as long as it is wanted
 * @property {string} sentence
 * @property {string|null} remedy
 * @property {[string, string][]} ids what and which
 * @property {boolean} again trying again makes sense
 *
 * @typedef {{name: string, eventId: string}} Saying a recording that is being said
 *
 * @typedef {object} Talk
 * @property {TalkPhase} phase
 * @property {LiveState["step"]} step
 * @property {string|null} detail why it is waited for, in the server's words
 * @property {number|null} percent of a portrait that is sent
 * @property {string|null} session the one under way, or the last
 * @property {boolean} talking the microphone is open
 * @property {Saying|null} saying
 * @property {boolean} hear its sound is played here
 * @property {"idle"|"listening"|"talking"} mood
 * @property {LiveStats|null} stats
 * @property {LiveStatus|null} status
 * @property {Failure|null} failure
 */
import { remedy } from "../core/problem.js";
import { capital, sessionWords } from "./words.js";

/** @type {Talk} */
export const NOT_TALKING = {
  phase: "off",
  step: null,
  detail: null,
  percent: null,
  session: null,
  talking: false,
  saying: null,
  hear: true,
  mood: "idle",
  stats: null,
  status: null,
  failure: null,
};

/** @param {State} state @param {Partial<Talk>} change @returns {State} */
export const talkChanged = (state, change) => ({ ...state, talk: { ...state.talk, ...change } });

/** @param {State} state @param {TalkPhase} phase a new conversation @param {boolean} hear @returns {State} */
export const talkStarted = (state, phase, hear) => ({ ...state, talk: { ...NOT_TALKING, phase, hear } });

/** @param {State} state @param {LiveState} live @returns {State} */
export function talkMoved(state, { phase, step, detail }) {
  // How it ended is told by whoever ended it.
  if (state.talk.phase === "off" || phase === "closed" || phase === "failed") return state;
  return talkChanged(state, { phase, step, detail });
}

/**
 * It is over. What it was like stays to be read until the next one.
 *
 * @param {State} state
 * @param {Failure|null} failure
 * @returns {State}
 */
export const talkOver = (state, failure) =>
  talkChanged(state, { phase: "off", step: null, detail: null, percent: null, talking: false, saying: null, failure });

/** @param {Problem} problem @returns {Failure} */
export const failureOf = (problem) => ({
  sentence: capital(problem.detail),
  remedy: remedy(problem),
  ids: problem.request_id === null ? [] : [["Request", problem.request_id]],
  again: problem.status === 0 || problem.status === 429 || problem.status >= 500,
});

/** @param {State} state */
export const isTalking = (state) => state.talk.phase !== "off";

/** @param {State} state */
export const isLive = (state) => state.talk.phase === "live";

/** @param {State} state @returns {Session|null} the session that is talked in, or was last */
export const talkSession = (state) =>
  state.talk.session === null ? null : (state.sessions.byId[state.talk.session] ?? null);

/**
 * @param {State} state
 * @returns {Words & {hint: string|null}}
 */
export function talkWords(state) {
  const { phase, step, detail, percent, talking, saying, mood } = state.talk;
  /** @param {string} word @param {Partial<Words & {hint: string|null}>} [more] */
  const waiting = (word, more = {}) => ({
    word,
    measure: null,
    percent: null,
    shape: /** @type {const} */ ("waiting"),
    hint: null,
    ...more,
  });
  switch (phase) {
    case "off": {
      const over = talkSession(state);
      if (over?.state !== "ended") return waiting("Ready", { shape: "idle" });
      return { ...sessionWords(over), hint: null };
    }
    case "microphone":
      return waiting("Waiting for the microphone", {
        hint: "Your browser asks whether this page may use it. The face says what you say; it is let go when you stop.",
      });
    case "face": {
      const measure = percent === null || percent >= 100 ? null : `${Math.floor(percent)}%`;
      return waiting("Sending the portrait", { measure, percent: measure === null ? null : percent, shape: "working" });
    }
    case "session":
      return waiting("Asking for a slot");
    case "connecting":
      return waiting(...connecting(state));
    case "reconnecting":
      return waiting(step === "restarting" ? "Mending the connection" : "Reconnecting", { hint: detail });
    case "live": {
      if (mood === "talking") return waiting("Talking", { shape: "working", hint: saying?.name ?? null });
      if (talking || mood === "listening")
        return waiting("Listening", { shape: "listening", hint: "Speak: the face says it." });
      return waiting("Silent", { shape: "idle" });
    }
  }
}

/** @param {State} state @returns {[string, Partial<Words & {hint: string|null}>]} */
function connecting(state) {
  const { step, detail } = state.talk;
  if (step === "finding") return ["Finding a path", { hint: "A connection straight to the worker." }];
  if (step === "waiting") return ["Waiting for the first frame", {}];
  const session = talkSession(state);
  if (session === null || session.state === "live" || session.state === "ended")
    return ["Asking for a slot", { hint: detail }];
  const { word, measure, shape } = sessionWords(session);
  return [word, { measure, shape }];
}

/** Stages as the worker names them, in the order that a sound goes through them. @type {Record<string, string>} */
const STAGES = {
  chunk: "Wait",
  features: "Features",
  generation: "Generation",
  compose: "Compose",
  encode: "Encode",
  send: "Send",
};

/**
 * Medians of the last seconds. What the stages leave of the whole is "Look-ahead": a mouth is drawn once a little of what
 * comes after it was heard, and leaves together with its sound.
 *
 * @param {LiveStatus|null} status
 * @returns {{total: {p50: number, p99: number}|null, stages: {name: string, ms: number}[]}} milliseconds
 */
export function latency(status) {
  const all = status?.stages ?? [];
  const total = all.find((s) => s.stage === "total");
  const own = all.filter((s) => s.stage !== "total");
  const stages = own.map((s) => ({
    name: STAGES[s.stage] ?? s.stage.charAt(0).toUpperCase() + s.stage.slice(1),
    ms: s.p50_ms,
  }));
  if (total === undefined) return { total: null, stages };
  // A frame is either drawn by the engine or put together at rest.
  const drawn = own.some((s) => s.stage === "generation");
  const ahead = total.p50_ms - own.reduce((sum, s) => sum + (drawn && s.stage === "compose" ? 0 : s.p50_ms), 0);
  const after = own.filter((s) => STAGES[s.stage] === "Wait").length;
  if (ahead >= 1) stages.splice(after, 0, { name: "Look-ahead", ms: ahead });
  return { total: { p50: total.p50_ms, p99: total.p99_ms }, stages };
}
