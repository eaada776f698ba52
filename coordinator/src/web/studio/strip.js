/**
 * The strip under a live face: how long a sound takes to its frame, stage by stage, and how it comes through.
 *
 * @import { State } from "../state/state.js"
 */
import { h } from "../core/dom.js";
import { latency } from "../state/live.js";

/** @param {State} state */
export function strip(state) {
  const { status, stats } = state.talk;
  const { total, stages } = latency(status);
  const dropped = stats === null ? null : stats.framesDropped + (status?.missed ?? 0);
  return h(
    "section",
    { class: "strip-live", key: "strip", "aria-label": "How it comes through" },
    h(
      "dl",
      { class: "strip-figures" },
      figure(
        "Latency",
        total ? milliseconds(total.p50) : null,
        total ? `p99 ${milliseconds(total.p99)}` : null,
        LATENCY,
      ),
      figure("Frames a second", stats?.fps?.toFixed(0) ?? null, `of ${state.studio.options.fps}`, null),
      figure("Dropped", dropped?.toLocaleString("en-US") ?? null, "frames", droppedWords(state)),
      figure("Bitrate", bitrate(stats?.videoKbps), null, "Of the video, as it is received"),
      figure("Network", stats?.rttMs == null ? null : milliseconds(stats.rttMs), "round trip", stats?.path ?? null),
      figure("Lips to voice", skew(stats?.playout?.skewMs), null, SKEW),
    ),
    stages.length > 0 ? [bar(stages), h("ol", { class: "stages", key: "stages", ...STAGES }, stages.map(named))] : null,
  );
}

const LATENCY = "From a sound's arrival at the worker to the departure of the frame that shows it: half are faster";
const SKEW = "How much the picture is ahead of the sound, as this browser plays them";

const STAGES = { "aria-label": "Latency by stage, median" };

/** @typedef {{name: string, ms: number}} Stage */

/** Each stage as long as it takes; the list says the same in words. @param {Stage[]} stages */
const bar = (stages) =>
  h(
    "div",
    { class: "stage-bar", key: "bar", "aria-hidden": "true" },
    stages.map(({ name, ms }) => h("span", { key: name, style: { "--ms": Math.max(0.3, ms) } })),
  );

/** @param {Stage} stage */
const named = ({ name, ms }) => h("li", { key: name }, `${name} `, h("span", { class: "num" }, milliseconds(ms)));

/** @param {State} state */
const droppedWords = (state) =>
  `${state.talk.stats?.framesDropped ?? 0} dropped by this browser, ${state.talk.status?.missed ?? 0} skipped by the worker`;

/** @param {string} what @param {string|null} value @param {string|null} more @param {string|null} title */
function figure(what, value, more, title) {
  return h(
    "div",
    { key: what, title },
    h("dt", null, what),
    h("dd", null, value ?? "–", value !== null && more ? h("span", { class: "muted" }, ` ${more}`) : null),
  );
}

/** @param {number} ms */
const milliseconds = (ms) => `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`;

/** @param {number|null|undefined} kbps */
const bitrate = (kbps) =>
  kbps == null ? null : kbps < 995 ? `${Math.round(kbps)} kbit/s` : `${(kbps / 1000).toFixed(1)} Mbit/s`;

/** @param {number|null|undefined} ms */
const skew = (ms) => (ms == null ? null : `${ms > 0 ? "+" : ms < 0 ? "−" : ""}${Math.abs(Math.round(ms))} ms`);
