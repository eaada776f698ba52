/**
 * A state as a shape: each differs from the others without its colour, and a word always stands beside it.
 *
 * @import { Shape } from "../state/words.js"
 * @import { VNode } from "../core/dom.js"
 */
import { h } from "../core/dom.js";

/** @param {Record<string, any>} props */
const ring = (props) =>
  h("circle", { cx: 8, cy: 8, r: 5.5, fill: "none", stroke: "currentColor", "stroke-width": 1.6, ...props });

/** @param {string} d @param {Record<string, any>} [props] */
const line = (d, props = {}) =>
  h("path", {
    d,
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 1.6,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    ...props,
  });

/** @type {Record<Shape, () => VNode[]>} */
const SHAPES = {
  waiting: () => [ring({ "stroke-dasharray": "2.200 2.400" })],
  working: () => [ring({}), h("path", { d: "M8 4.700a3.300 3.300 0 0 1 0 6.600Z", fill: "currentColor" })],
  done: () => [
    h("circle", { cx: 8, cy: 8, r: 6.3, fill: "currentColor" }),
    line("M5.200 8.300 7.200 10.200 10.900 6.200", { class: "glyph-cut" }),
  ],
  stopped: () => [
    h("rect", {
      x: 3.5,
      y: 3.5,
      width: 9,
      height: 9,
      rx: 1.5,
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.6,
    }),
  ],
  failed: () => [
    h("path", {
      d: "M8 1.900 14.600 13.400H1.400Z",
      fill: "currentColor",
      stroke: "currentColor",
      "stroke-width": 1.2,
      "stroke-linejoin": "round",
    }),
    line("M8 6v3.400M8 11.500v.1", { class: "glyph-cut" }),
  ],
  idle: () => [ring({})],
  listening: () => [ring({}), h("circle", { cx: 8, cy: 8, r: 2.2, fill: "currentColor" })],
  draining: () => [ring({}), line("M8 5v5.400M5.900 8.500 8 10.600 10.100 8.500", { "stroke-width": 1.4 })],
  lost: () => [line("M4 4l8 8M12 4l-8 8", { "stroke-width": 2.2 })],
};

/**
 * @param {Shape} shape
 * @returns {VNode}
 */
export function glyph(shape) {
  return h(
    "svg",
    {
      class: `glyph glyph-${shape}`,
      viewBox: "0 0 16 16",
      width: 16,
      height: 16,
      "aria-hidden": "true",
      key: `glyph-${shape}`,
    },
    SHAPES[shape](),
  );
}

/**
 * Shape and word.
 *
 * @param {{shape: Shape, word: string, measure?: string|null}} words
 * @returns {VNode}
 */
export function stateLabel({ shape, word, measure }) {
  return h(
    "span",
    { class: "state" },
    glyph(shape),
    h("span", { class: "state-word" }, word),
    measure ? h("span", { class: "state-measure" }, measure) : null,
  );
}
