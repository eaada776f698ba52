/**
 * The stage: the face as large as the window allows, what happens to it under it, and the video when it is made.
 *
 * @import { Actions } from "../actions/index.js"
 * @import { Session } from "../core/types.js"
 * @import { Loose, VNode } from "../core/dom.js"
 * @import { State } from "../state/state.js"
 * @import { Picture } from "./picture.js"
 */
import { h } from "../core/dom.js";
import { bytes, day, duration } from "../core/format.js";
import { icon } from "../parts/icons.js";
import { stateLabel } from "../parts/glyph.js";
import { dropTarget, failure, meter, picture as imageOf } from "../parts/pieces.js";
import { speed } from "../state/sessions.js";
import { removedWords } from "../state/kept.js";
import { currentSession } from "../state/studio.js";
import { capital, endRemedy, endSentence, sessionWords } from "../state/words.js";
import { SAMPLE_PICTURE, avatarPicture, chosenPicture, shown } from "./picture.js";

/**
 * @param {State} state
 * @param {Actions} act
 * @returns {VNode}
 */
export function stage(state, act) {
  const session = currentSession(state);
  const made = session?.end?.reason === "completed" && session.result?.removed_at === null ? session : null;
  const picture = pictureOf(state, session) ?? (invited(state, session) ? SAMPLE_PICTURE : null);
  /** @param {File} file */
  const take = (file) => (file.type.startsWith("audio/") ? act.studio.pickSpeech(file) : act.studio.pickPortrait(file));
  return h(
    "section",
    { class: "stage", key: "stage", "aria-label": "Stage", "data-busy": busy(state, session), ...dropTarget(take) },
    h(
      "div",
      { class: "screen" },
      picture && !picture.video ? imageOf({ class: "ambient", key: "ambient", src: picture.url, alt: "" }) : null,
      made?.result ? player(made, made.result) : shown(picture),
      invited(state, session) ? invitation(act) : null,
    ),
    h("div", { class: "under" }, under(state, session, act)),
  );
}

/** @param {State} state @param {Session|null} session */
const busy = (state, session) => state.studio.sending !== null || (session !== null && session.state !== "ended");

/** Nothing is chosen yet: the sample is offered. @param {State} state @param {Session|null} session */
const invited = (state, session) =>
  session === null && state.studio.sending === null && state.studio.portrait === null && state.studio.avatarId === null;

/**
 * @param {State} state
 * @param {Session|null} session
 * @returns {Picture|null}
 */
function pictureOf(state, session) {
  const { studio } = state;
  if (session === null) return chosenPicture(state) ?? (studio.sending?.sample ? SAMPLE_PICTURE : null);
  const pick = studio.inputs[session.id]?.portrait ?? null;
  if (pick) return { url: pick.url, video: pick.video, alt: "The portrait" };
  if (studio.sending?.sample) return SAMPLE_PICTURE;
  return avatarPicture(state, session.avatar_id);
}

/**
 * @param {Session} session
 * @param {NonNullable<Session["result"]>} result
 */
function player(session, result) {
  return h("video", {
    class: "face",
    key: `player-${session.id}`,
    src: result.url,
    controls: true,
    playsinline: true,
    preload: "auto",
    "aria-label": "The rendered video",
    init: playSoon,
  });
}

/** The user asked for it by pressing a button; who wants less motion presses once more. @param {HTMLVideoElement} video */
function playSoon(video) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  video.addEventListener("loadeddata", () => void video.play().catch(() => {}), { once: true });
}

/** @param {Actions} act */
function invitation(act) {
  return h(
    "div",
    { class: "invitation", key: "invitation" },
    h("p", { class: "invitation-title" }, "Make a face talk"),
    h("p", null, "Drop a portrait and a recording, or see it first with ours."),
    h(
      "button",
      { type: "button", class: "button primary", onclick: () => void act.studio.trySample() },
      icon("play"),
      "Try the sample",
    ),
  );
}

/**
 * What goes on, in words and measure.
 *
 * @param {State} state
 * @param {Session|null} session
 * @param {Actions} act
 * @returns {Loose}
 */
function under(state, session, act) {
  const { sending, trails, requestIds, inputs } = state.studio;
  if (sending !== null) {
    const done = sending.percent >= 100;
    const words = done
      ? { word: "Uploaded, waiting for the answer", measure: null }
      : { word: "Uploading", measure: `${Math.floor(sending.percent)}%` };
    return progress(
      { ...words, shape: "working" },
      done ? null : sending.percent,
      () => void act.studio.cancel(),
      "Stop",
    );
  }
  if (session === null) return null;
  const words = sessionWords(session, speed(trails[session.id], session.options.fps));
  if (session.state !== "ended") return progress(words, words.percent, () => void act.studio.cancel(), "Cancel");
  if (session.result && session.end?.reason === "completed" && session.result.removed_at === null) {
    return facts(session, session.result, act);
  }
  const end = session.end ?? { reason: "failed", detail: null };
  const ids = /** @type {[string, string][]} */ ([["Session", session.id]]);
  const request = requestIds[session.id];
  if (request !== undefined) ids.push(["Request", request]);
  const again = session.id in inputs || end.reason === "cancelled" ? () => void act.studio.retry(session) : undefined;
  // What was refused is refused again.
  const retry = end.reason === "bad_input" ? undefined : again;
  if (session.result?.removed_at) {
    return h(
      "div",
      { class: "row spread", key: "removed" },
      h("p", null, removedWords(session.result.removed_at, state.kept)),
      h("button", { type: "button", class: "button small", onclick: () => void act.studio.retry(session) }, icon("retry"), "Render again"),
    );
  }
  if (end.reason === "cancelled") {
    return h(
      "div",
      { class: "row spread", key: "cancelled" },
      stateLabel(words),
      h("button", { type: "button", class: "button small", onclick: again }, icon("retry"), "Render again"),
    );
  }
  return failure(endSentence(end), endRemedy(end), ids, { retry, key: `end-${session.id}` });
}

/**
 * @param {import("../state/words.js").Words | {word: string, measure: string|null, shape: "working"}} words
 * @param {number|null} percent
 * @param {() => void} stop
 * @param {string} stopWord
 */
function progress(words, percent, stop, stopWord) {
  return h(
    "div",
    { class: "progress", key: "progress" },
    h(
      "div",
      { class: "row spread" },
      stateLabel(words),
      h("button", { type: "button", class: "button small", onclick: stop }, stopWord, h("kbd", null, "Esc")),
    ),
    meter(percent, words.word),
  );
}

/**
 * @param {Session} session
 * @param {NonNullable<Session["result"]>} result
 * @param {Actions} act
 */
function facts(session, result, act) {
  const told = [
    ["Length", duration(result.duration_ms)],
    ["Picture", `${result.size[0]} × ${result.size[1]}, ${session.options.fps} fps`],
    ["File", bytes(result.bytes)],
    ["Made in", duration(Date.parse(session.updated) - Date.parse(session.created))],
  ];
  if (result.expires_at) told.push(["Kept until", day(Date.parse(result.expires_at))]);
  return h(
    "div",
    { class: "facts", key: `facts-${session.id}` },
    h(
      "dl",
      { class: "fact-list" },
      told.map(([what, value]) => h("div", { key: what }, h("dt", null, what ?? ""), h("dd", null, value ?? ""))),
    ),
    h(
      "div",
      { class: "row" },
      h(
        "a",
        { class: "button primary", href: `${result.url}?download=1`, download: `${session.id}.mp4` },
        icon("download"),
        "Download",
      ),
      h("button", { type: "button", class: "button", onclick: () => act.studio.clear() }, "New render"),
    ),
    result.framing ? h("p", { class: "muted hint", key: "framing" }, capital(result.framing)) : null,
    result.warnings.length > 0
      ? h(
          "ul",
          { class: "warnings", "aria-label": "Warnings" },
          result.warnings.map((w) => h("li", { key: w }, w)),
        )
      : null,
  );
}
