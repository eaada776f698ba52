/**
 * Icons, 16 units wide, drawn with the text's colour. They say nothing to a screen reader: words stand beside them.
 *
 * @import { VNode } from "../core/dom.js"
 */
import { h } from "../core/dom.js";

const PATHS = {
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  play: "M5 3.200v9.600L13 8Z",
  download: "M8 2.500v7.500M4.500 7 8 10.500 11.500 7M3 13.500h10",
  upload: "M8 10.500V3M4.500 6.500 8 3l3.500 3.500M3 13.500h10",
  retry: "M13 8a5 5 0 1 1-1.600-3.700M13 2.500v3h-3",
  trash: "M3 4.500h10M6.500 4.500v-2h3v2M4.500 4.500l.5 9h6l.5-9",
  face: "M8 8.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2.500 14c.6-2.600 2.800-4 5.500-4s4.900 1.400 5.500 4",
  voice: "M3 6.500v3M5.500 4.500v7M8 2.500v11M10.500 5v6M13 6.500v3",
  mic: "M8 9.500a2 2 0 0 0 2-2v-3a2 2 0 0 0-4 0v3a2 2 0 0 0 2 2ZM3.500 7.500a4.500 4.500 0 0 0 9 0M8 12v2",
  sound: "M2.500 6v4H5l3.500 3V3L5 6ZM11 5.800a3 3 0 0 1 0 4.400M12.800 4a5.500 5.500 0 0 1 0 8",
  silent: "M2.500 6v4H5l3.500 3V3L5 6ZM11 6.500l3 3M14 6.500l-3 3",
  stop: "M4.500 4.500h7v7h-7Z",
  check: "M3 8.500 6.500 12 13 4.500",
  chevron: "M6 4l4 4-4 4",
  drain: "M8 2.500v8M4.500 7 8 10.500 11.500 7M3.500 13.500h9",
  link: "M6.500 9.500l3-3M7 4.500 8.500 3a2.800 2.800 0 0 1 4 4L11 8.500M9 11.500 7.500 13a2.800 2.800 0 0 1-4-4L5 7.500",
  out: "M6.500 2.500h-3v11h3M7 8h6.500M11 5.500 13.500 8 11 10.500",
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * @param {IconName} name
 * @returns {VNode}
 */
export function icon(name) {
  const fill = name === "play" || name === "stop" ? "currentColor" : "none";
  return h(
    "svg",
    { class: "icon", viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true", focusable: "false" },
    h("path", {
      d: PATHS[name],
      fill,
      stroke: "currentColor",
      "stroke-width": 1.5,
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
    }),
  );
}
