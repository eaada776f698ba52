/**
 * The place where one records oneself, under the place for files.
 *
 * @import { Actions } from "../actions/index.js"
 * @import { State } from "../state/state.js"
 */
import { h } from "../core/dom.js";
import { icon } from "../parts/icons.js";
import { failure, focusSoon } from "../parts/pieces.js";
import { LONGEST } from "../state/recorder.js";

/** @param {State} state @param {Actions} act */
export function recordPart(state, act) {
  const { phase, seconds, failure: told } = state.recorder;
  if (phase === "on") return recording(seconds, act);
  const asking = phase === "asking";
  return [
    h(
      "div",
      { class: "row record", key: "record" },
      h(
        "button",
        { type: "button", class: "button", key: "start", disabled: asking, onclick: () => void act.recorder.record() },
        icon("mic"),
        "Record",
      ),
      asking
        ? h("p", { class: "muted hint", key: "asking" }, "Allow the microphone: your browser asks for it.")
        : h("p", { class: "muted hint", key: "why" }, "Or say it yourself. Your browser will ask for the microphone."),
      asking
        ? h(
            "button",
            { type: "button", class: "button bare small", key: "cancel", onclick: act.recorder.discard },
            "Cancel",
          )
        : null,
    ),
    told === null
      ? null
      : failure(told.sentence, told.remedy, [], {
          key: "record-failure",
          retry: () => void act.recorder.record(),
          dismiss: act.recorder.dismiss,
        }),
  ];
}

/** @param {number} seconds @param {Actions} act */
function recording(seconds, act) {
  return h(
    "div",
    { class: "picked recording", key: "recording", role: "group", "aria-label": "Recording" },
    h("span", { class: "recording-dot", "aria-hidden": "true" }),
    h(
      "span",
      { class: "picked-name" },
      "Recording ",
      h("span", { class: "muted num" }, `${clock(seconds)} of ${clock(LONGEST)}`),
    ),
    h(
      "button",
      { type: "button", class: "button primary small", key: "stop", onclick: act.recorder.stop, init: focusSoon },
      icon("stop"),
      "Stop",
    ),
    h(
      "button",
      {
        type: "button",
        class: "button bare square",
        key: "discard",
        "aria-label": "Discard the recording",
        title: "Discard the recording",
        onclick: act.recorder.discard,
      },
      icon("close"),
    ),
  );
}

/** @param {number} seconds @returns {string} such as "0:07" */
function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
