/**
 * The stage when one talks live: the face, under it what goes on, and the few buttons that are needed.
 *
 * @import { Actions } from "../actions/index.js"
 * @import { State } from "../state/state.js"
 */
import { h } from "../core/dom.js";
import { icon } from "../parts/icons.js";
import { stateLabel } from "../parts/glyph.js";
import { dropTarget, failure, meter, picture as imageOf } from "../parts/pieces.js";
import { isLive, isTalking, talkSession, talkWords } from "../state/live.js";
import { endRemedy, endSentence } from "../state/words.js";
import { SAMPLE_PICTURE, chosenPicture, shown } from "./picture.js";
import { strip } from "./strip.js";

/**
 * @param {State} state
 * @param {Actions} act
 */
export function talkStage(state, act) {
  const on = isTalking(state);
  const live = isLive(state) || state.talk.phase === "reconnecting";
  const picture = chosenPicture(state) ?? SAMPLE_PICTURE;
  const take = (/** @type {File} */ file) =>
    file.type.startsWith("audio/") ? void act.live.pickAndSay(file) : act.studio.pickPortrait(file);
  return h(
    "section",
    { class: "stage", key: "talk-stage", "aria-label": "Stage", "data-live": live, ...dropTarget(take) },
    h(
      "div",
      { class: "screen" },
      picture.video ? null : imageOf({ class: "ambient", key: "ambient", src: picture.url, alt: "" }),
      h("div", { class: "poster", key: "poster", "aria-hidden": live ? "true" : null }, shown(picture)),
      on ? h("div", { class: "live-face", key: "live-face", innerOwn: true, init: act.live.mount }) : null,
      on ? null : invitation(state, act),
    ),
    h("div", { class: "under" }, under(state, act), live ? strip(state) : null),
  );
}

/** @param {State} state @param {Actions} act */
function invitation(state, act) {
  const { avatarId, portrait } = state.studio;
  const chosen = avatarId !== null || portrait !== null;
  return h(
    "div",
    { class: "invitation", key: "talk-invitation" },
    h("p", { class: "invitation-title" }, chosen ? "Talk through this face" : "Talk through a face"),
    h("p", null, "It says what you say. Your browser will ask for the microphone."),
    h(
      "div",
      { class: "row wrap" },
      h(
        "button",
        { type: "button", class: "button primary", key: "talk", onclick: () => void act.live.talk() },
        icon("mic"),
        "Talk",
        h("kbd", null, "Space"),
      ),
      h(
        "button",
        { type: "button", class: "button ghost", key: "sample", onclick: () => void act.live.playSample() },
        icon("play"),
        "Play the sample",
      ),
    ),
  );
}

/** @param {State} state @param {Actions} act */
function under(state, act) {
  const on = isTalking(state);
  return [on ? running(state, act) : ended(state), broken(state, act)];
}

/** @param {State} state @param {Actions} act */
function broken(state, act) {
  const told = state.talk.failure;
  if (told === null) return null;
  const over = !isTalking(state);
  return failure(told.sentence, told.remedy, told.ids, {
    key: "talk-failure",
    retry: over && told.again ? () => void act.live.again() : undefined,
    dismiss: () => act.live.dismiss(),
  });
}

/** How the last one ended, if not by the user. @param {State} state */
function ended(state) {
  const session = talkSession(state);
  if (session?.state !== "ended" || session.end === null || state.talk.failure !== null) return null;
  const { end } = session;
  const words = talkWords(state);
  if (words.shape === "failed") {
    return failure(endSentence(end, "live"), endRemedy(end, "live"), [["Session", session.id]], { key: "talk-end" });
  }
  return h(
    "p",
    { class: "talk-ended", key: "talk-ended" },
    stateLabel({ ...words, measure: null }),
    h("span", { class: "muted" }, endSentence(end, "live")),
  );
}

/** @param {State} state @param {Actions} act */
function running(state, act) {
  const words = talkWords(state);
  const live = isLive(state);
  return h(
    "div",
    { class: "talk-bar", key: "talk-bar" },
    h(
      "div",
      { class: "talk-words" },
      stateLabel(words),
      words.hint ? h("p", { class: "muted hint", key: "hint" }, words.hint) : null,
    ),
    h(
      "div",
      { class: "talk-acts", role: "group", "aria-label": "Talking" },
      live ? controls(state, act) : null,
      end(act),
    ),
    live || state.talk.phase === "microphone" ? null : meter(words.percent, words.word),
  );
}

/** @param {State} state @param {Actions} act */
function controls(state, act) {
  const { talking, saying, hear } = state.talk;
  return [
    h(
      "button",
      {
        type: "button",
        key: "talk",
        class: talking ? "button talk on" : "button primary talk",
        "aria-pressed": String(talking),
        onclick: () => void act.live.talk(),
      },
      icon(talking ? "stop" : "mic"),
      talking ? "Stop talking" : "Talk",
      h("kbd", null, "Space"),
    ),
    saying
      ? h(
          "button",
          { type: "button", key: "hush", class: "button", onclick: () => act.live.hush() },
          icon("stop"),
          "Hush",
        )
      : h(
          "button",
          { type: "button", key: "sample", class: "button", onclick: () => void act.live.playSample() },
          icon("play"),
          "Sample",
        ),
    h(
      "button",
      {
        type: "button",
        key: "hear",
        class: "button square-40",
        "aria-pressed": String(hear),
        "aria-label": "Hear the face",
        title: hear ? "You hear the face" : "The face is silent here, so that you do not hear yourself",
        onclick: () => act.live.setHear(!hear),
      },
      icon(hear ? "sound" : "silent"),
    ),
  ];
}

/** @param {Actions} act */
const end = (act) =>
  h(
    "button",
    { type: "button", key: "end", class: "button", onclick: () => act.live.end() },
    "End",
    h("kbd", null, "Esc"),
  );
