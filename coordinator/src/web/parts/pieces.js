/**
 * Small pieces that every view uses: failures, progress, questions, drop zones.
 *
 * @import { Problem } from "../core/types.js"
 * @import { Loose, VNode } from "../core/dom.js"
 */
import { h } from "../core/dom.js";
import { remedy } from "../core/problem.js";
import { capital } from "../state/words.js";
import { glyph } from "./glyph.js";
import { icon } from "./icons.js";

/**
 * A failure: what, what to do, which request. It stays until it is dismissed or the cause is gone.
 *
 * @param {Problem} problem
 * @param {{retry?: () => void, dismiss?: () => void, key?: string}} [acts]
 * @returns {VNode}
 */
export function problemBox(problem, acts = {}) {
  const todo = remedy(problem);
  return failure(
    capital(problem.detail),
    todo,
    problem.request_id === null ? [] : [["Request", problem.request_id]],
    acts,
    problem.field === null || problem.detail.includes(problem.field) ? null : `In ${problem.field}`,
  );
}

/**
 * @param {string} sentence
 * @param {string|null} todo
 * @param {[string, string][]} ids what and which
 * @param {{retry?: () => void, dismiss?: () => void, key?: string}} acts
 * @param {string|null} [where]
 * @returns {VNode}
 */
export function failure(sentence, todo, ids, acts, where = null) {
  return h(
    "div",
    { class: "failure", role: "alert", key: acts.key ?? "failure" },
    glyph("failed"),
    h(
      "div",
      { class: "failure-words" },
      where ? h("p", { class: "failure-where" }, where) : null,
      h("p", { class: "failure-sentence" }, sentence),
      todo ? h("p", { class: "failure-remedy" }, todo) : null,
      ids.map(([what, id]) => h("p", { class: "failure-id", key: what }, `${what} `, h("code", null, id))),
      acts.retry
        ? h("button", { type: "button", class: "button small", onclick: acts.retry }, icon("retry"), "Try again")
        : null,
    ),
    acts.dismiss
      ? h(
          "button",
          { type: "button", class: "button bare square", "aria-label": "Dismiss", onclick: acts.dismiss },
          icon("close"),
        )
      : null,
  );
}

/**
 * @param {number|null} percent 0..100; null when only that something goes on is known
 * @param {string} label
 * @returns {VNode}
 */
export function meter(percent, label) {
  const known =
    percent === null ? {} : { "aria-valuenow": Math.round(percent), "aria-valuemin": 0, "aria-valuemax": 100 };
  return h(
    "div",
    { class: percent === null ? "meter unknown" : "meter", role: "progressbar", "aria-label": label, ...known },
    h("div", {
      class: "meter-bar",
      style: { "--done": percent === null ? 0.3 : Math.min(1, Math.max(0, percent / 100)) },
    }),
  );
}

/**
 * A question asked once, in place. Focus goes to the answer that changes nothing.
 *
 * @param {{title: string, words: Loose, yes: string, busy: boolean, onYes: () => void, onNo: () => void, danger?: boolean}} asked
 * @returns {VNode}
 */
export function question({ title, words, yes, busy, onYes, onNo, danger = false }) {
  return h(
    "div",
    {
      class: "question",
      key: "question",
      role: "group",
      "aria-label": title,
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onNo();
      },
    },
    h("p", { class: "question-title" }, title),
    h("div", { class: "question-words" }, words),
    h(
      "div",
      { class: "row" },
      h(
        "button",
        { type: "button", class: danger ? "button danger" : "button primary", disabled: busy, onclick: onYes },
        yes,
      ),
      h("button", { type: "button", class: "button", onclick: onNo, init: focusSoon }, "Keep it"),
    ),
  );
}

/** @param {HTMLElement} element focused once it is in the document */
export function focusSoon(element) {
  queueMicrotask(() => element.focus());
}

/**
 * A picture that gives way to what stands behind it when it cannot be shown.
 *
 * @param {Record<string, any> & {src: string, alt: string}} props
 * @returns {VNode}
 */
export function picture(props) {
  const mark = (/** @type {Event} */ event) =>
    /** @type {HTMLElement} */ (event.currentTarget).toggleAttribute("data-broken", event.type === "error");
  return h("img", { ...props, onerror: mark, onload: mark });
}

/**
 * A place to drop a file on, or to choose one with the keyboard.
 *
 * @param {{label: string, hint: string, accept: string, icon: import("./icons.js").IconName, id: string, onFile: (file: File) => void, field?: boolean}} zone
 * @returns {VNode}
 */
export function dropZone({ label, hint, accept, icon: name, id, onFile }) {
  return h(
    "label",
    { class: "drop", for: id, ...dropTarget(onFile) },
    icon(name),
    h(
      "span",
      { class: "drop-words" },
      h("span", { class: "drop-label" }, label),
      h("span", { class: "drop-hint" }, hint),
    ),
    h("input", {
      type: "file",
      id,
      class: "drop-input",
      accept,
      onchange: (/** @type {Event} */ event) => {
        const input = /** @type {HTMLInputElement} */ (event.target);
        const file = input.files?.[0];
        // Emptied, so that the same file can be chosen again.
        if (file) onFile(file);
        input.value = "";
      },
    }),
  );
}

/**
 * Listeners that take a dropped file. `data-over` marks the element while a file hovers.
 *
 * @param {(file: File) => void} onFile
 */
export function dropTarget(onFile) {
  /** @param {DragEvent} event */
  const element = (event) => /** @type {HTMLElement} */ (event.currentTarget);
  return {
    ondragover: (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      element(event).toggleAttribute("data-over", true);
    },
    ondragleave: (/** @type {DragEvent} */ event) => {
      if (!element(event).contains(/** @type {Node|null} */ (event.relatedTarget)))
        element(event).removeAttribute("data-over");
    },
    ondrop: (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      event.stopPropagation();
      element(event).removeAttribute("data-over");
      const file = event.dataTransfer?.files[0];
      if (file) onFile(file);
    },
  };
}

/**
 * Choices of which one holds.
 *
 * @template {string} T
 * @param {string} label
 * @param {readonly (readonly [T, string])[]} choices value and word
 * @param {T} chosen
 * @param {(value: T) => void} onChoose
 * @returns {VNode}
 */
export function segments(label, choices, chosen, onChoose) {
  return h(
    "div",
    { class: "segments", role: "group", "aria-label": label },
    choices.map(([value, word]) =>
      h(
        "button",
        { type: "button", key: value, "aria-pressed": String(value === chosen), onclick: () => onChoose(value) },
        word,
      ),
    ),
  );
}
