/**
 * How it is rendered. Folded away, because the defaults do.
 *
 * @import { Actions } from "../actions/index.js"
 * @import { Options } from "../core/types.js"
 * @import { State } from "../state/state.js"
 */
import { h } from "../core/dom.js";
import { isTalking } from "../state/live.js";

/**
 * @param {State} state
 * @param {Actions} act
 */
export function optionsPanel(state, act) {
  const { options, mode } = state.studio;
  const live = mode === "live";
  const set = act.studio.setOptions;
  return h(
    "details",
    { class: "part options", key: "options" },
    h(
      "summary",
      null,
      h("span", { class: "summary-word" }, "Options"),
      h("span", { class: "muted num summary-now" }, inWords(options, live)),
    ),
    h(
      "div",
      { class: "option-grid" },
      choice(
        "Frames a second",
        "fps",
        String(options.fps),
        [
          ["25", "25"],
          ["30", "30"],
        ],
        (v) => set({ fps: Number(v) }),
      ),
      choice(
        "Size, longer side",
        "size",
        options.size === null ? "" : String(live ? Math.min(options.size, 1024) : options.size),
        [
          ["", "By the face"],
          ["256", "256 px"],
          ["384", "384 px"],
          ["512", "512 px"],
          ["768", "768 px"],
          ["1024", "1024 px"],
          ...(live ? [] : [/** @type {[string, string]} */ (["2048", "2048 px"])]),
        ],
        (v) => set({ size: v === "" ? null : Number(v) }),
      ),
      choice(
        "Shown",
        "crop",
        options.crop,
        [
          ["none", "The whole picture"],
          ["bust", "Head and shoulders"],
          ["head", "The head"],
        ],
        (v) => set({ crop: v }),
      ),
      choice(
        "Expression",
        "expression",
        options.expression,
        [
          ["neutral", "Neutral"],
          ["friendly", "Friendly"],
          ["serious", "Serious"],
        ],
        (v) => set({ expression: v }),
      ),
      choice(
        "Movement",
        "motion",
        String(options.motion),
        [
          ["100", "Lively"],
          ["60", "Calm"],
          ["30", "Hardly any"],
        ],
        (v) => set({ motion: Number(v) }),
      ),
      live
        ? null
        : choice(
            "Preset",
            "preset",
            options.preset,
            [
              ["balanced", "Balanced"],
              ["fast", "Fast, larger files"],
            ],
            (v) => set({ preset: v }),
          ),
      h(
        "label",
        { class: "field" },
        h("span", null, "Seed"),
        h("input", {
          type: "number",
          name: "seed",
          min: 0,
          max: 4294967295,
          step: 1,
          value: String(options.seed),
          onchange: (/** @type {Event} */ e) =>
            set({ seed: wholeNumber(/** @type {HTMLInputElement} */ (e.target).value) }),
        }),
      ),
      check("Head and brows move", "head", options.head, (head) => set({ head })),
      check("Lids blink", "blinks", options.blinks, (blinks) => set({ blinks })),
    ),
    live && isTalking(state)
      ? h("p", { class: "muted hint", key: "later" }, "Changes hold from the next time on.")
      : null,
  );
}

/** @param {Options} o @param {boolean} live */
const inWords = (o, live) =>
  [
    o.size === null ? "size by the face" : `${live ? Math.min(o.size, 1024) : o.size} px`,
    o.crop === "none" ? null : o.crop,
    `${o.fps} fps`,
    live ? null : o.preset,
    o.expression === "neutral" ? null : o.expression,
    o.head ? null : "still head",
    o.blinks ? null : "no blinks",
  ]
    .filter(Boolean)
    .join(" · ");

/**
 * @param {string} label
 * @param {string} name
 * @param {string} value
 * @param {[string, string][]} choices
 * @param {(value: string) => void} onChange
 */
function choice(label, name, value, choices, onChange) {
  return h(
    "label",
    { class: "field", key: name },
    h("span", null, label),
    h(
      "select",
      {
        name,
        value,
        onchange: (/** @type {Event} */ e) => onChange(/** @type {HTMLSelectElement} */ (e.target).value),
      },
      choices.map(([v, word]) => h("option", { key: v, value: v }, word)),
    ),
  );
}

/**
 * @param {string} label
 * @param {string} name
 * @param {boolean} checked
 * @param {(checked: boolean) => void} onChange
 */
function check(label, name, checked, onChange) {
  return h(
    "label",
    { class: "check", key: name },
    h("input", {
      type: "checkbox",
      name,
      checked,
      onchange: (/** @type {Event} */ e) => onChange(/** @type {HTMLInputElement} */ (e.target).checked),
    }),
    h("span", null, label),
  );
}

/** @param {string} text @returns {number} 0 or more; 1 for what is no number */
const wholeNumber = (text) => (/^\d+$/.test(text.trim()) ? Math.min(Number(text), 4294967295) : 1);
