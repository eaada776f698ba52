/**
 * Studio: the face, and one column beside it.
 *
 * @import { Actions } from "../actions/index.js"
 * @import { State } from "../state/state.js"
 */
import { h } from "../core/dom.js";
import { dropZone, focusSoon, problemBox, segments } from "../parts/pieces.js";
import { icon } from "../parts/icons.js";
import { bytes } from "../core/format.js";
import { PORTRAIT, SPEECH } from "../core/taken.js";
import { isLive, isTalking } from "../state/live.js";
import { missing } from "../state/studio.js";
import { avatarStrip } from "./avatars.js";
import { optionsPanel } from "./options.js";
import { recent } from "./recent.js";
import { recordPart } from "./record.js";
import { stage } from "./stage.js";
import { talkStage } from "./talk.js";

/**
 * @param {State} state
 * @param {Actions} act
 */
export function studioView(state, act) {
  const live = state.studio.mode === "live";
  return [
    h("h1", { class: "visually-hidden", key: "title" }, "Studio"),
    h("div", { class: "modes", key: "modes" }, segments("What to make", MODES, state.studio.mode, act.live.mode)),
    live ? talkStage(state, act) : stage(state, act),
    h(
      "div",
      { class: "column", key: "column" },
      face(state, act),
      voice(state, act, live),
      optionsPanel(state, act),
      live ? null : [renderButton(state, act), recent(state, act)],
    ),
  ];
}

const MODES = /** @type {const} */ ([
  ["live", "Talk live"],
  ["video", "Make a video"],
]);

/** @param {State} state @param {Actions} act */
function face(state, act) {
  const { portrait } = state.studio;
  return h(
    "section",
    { class: "part", key: "face", "aria-labelledby": "face-title" },
    h("h2", { id: "face-title" }, "Face"),
    portrait === null
      ? dropZone({
          id: "portrait",
          label: "Drop a portrait, or choose one",
          hint: PORTRAIT.hint,
          accept: PORTRAIT.accept,
          icon: "face",
          onFile: act.studio.pickPortrait,
        })
      : picked(portrait.name, bytes(portrait.file.size), "face", "the portrait", act.studio.dropPortrait),
    avatarStrip(state, act),
  );
}

/** @param {State} state @param {Actions} act @param {boolean} live what is dropped is said at once */
function voice(state, act, live) {
  const { speech } = state.studio;
  return h(
    "section",
    { class: "part", key: "voice", "aria-labelledby": "voice-title" },
    h("h2", { id: "voice-title" }, "Voice"),
    speech === null
      ? [
          dropZone({
            id: "speech",
            label: "Drop a recording, or choose one",
            hint: live ? "The face says it at once" : SPEECH.hint,
            accept: SPEECH.accept,
            icon: "voice",
            onFile: live ? (file) => void act.live.pickAndSay(file) : act.studio.pickSpeech,
          }),
          live ? null : recordPart(state, act),
        ]
      : [
          picked(speech.name, bytes(speech.file.size), "voice", "the recording", act.studio.dropSpeech),
          h("audio", {
            key: speech.url,
            class: "listen",
            controls: true,
            src: speech.url,
            preload: "metadata",
            "aria-label": "Listen to the recording",
            // The button that ended it is gone: focus goes on to what it made.
            init: speech.recorded ? focusSoon : undefined,
          }),
          live
            ? h(
                "button",
                {
                  type: "button",
                  key: "say",
                  class: "button wide",
                  disabled: isTalking(state) && !isLive(state),
                  onclick: () => void act.live.say(speech.file, speech.name),
                },
                icon("voice"),
                state.talk.saying?.name === speech.name ? "Say it from the start" : "Say it",
              )
            : null,
        ],
  );
}

/**
 * @param {string} name
 * @param {string} size
 * @param {"face"|"voice"} kind
 * @param {string} what
 * @param {() => void} drop
 */
function picked(name, size, kind, what, drop) {
  return h(
    "div",
    { class: "picked", key: "picked" },
    icon(kind),
    h("span", { class: "picked-name", title: name }, name),
    h("span", { class: "muted num" }, size),
    h(
      "button",
      { type: "button", class: "button bare square", "aria-label": `Remove ${what}`, onclick: drop },
      icon("close"),
    ),
  );
}

/** @param {State} state @param {Actions} act */
function renderButton(state, act) {
  const { sending, problem } = state.studio;
  const lacking = missing(state);
  return h(
    "div",
    { class: "part go", key: "go" },
    h(
      "button",
      {
        type: "button",
        class: "button primary wide",
        disabled: sending !== null,
        "aria-describedby": lacking ? "go-hint" : null,
        onclick: () => void act.studio.render(),
      },
      sending === null ? "Render" : "Uploading…",
    ),
    lacking ? h("p", { class: "muted hint", id: "go-hint" }, lacking) : null,
    problem
      ? problemBox(problem, {
          retry: retryable(problem.status) && lacking === null ? () => void act.studio.render() : undefined,
        })
      : null,
  );
}

/** Bad input stays bad; the rest may pass the second time. @param {number} status */
const retryable = (status) => status === 0 || status === 429 || status >= 500;
