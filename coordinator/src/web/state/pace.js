/**
 * How fast each worker has been making frames, as the farm's snapshots tell it. Pure.
 *
 * @import { Worker } from "../core/types.js"
 *
 * @typedef {object} Pace
 * @property {number} since start of the step under way, ms
 * @property {number} made frames in it so far
 * @property {Record<string, number>} seen frames done, by session, in the last snapshot
 * @property {number[]} rates frames a second of the past steps, oldest first
 */

/** A step is at least so long, ms: workers report once a second. */
export const STEP_MS = 2_000;
/** Steps that are kept: the last minute. */
export const STEPS = 30;

/**
 * @param {Pace|undefined} before
 * @param {Worker} worker
 * @param {number} now ms
 * @returns {Pace}
 */
export function paced(before, worker, now) {
  const sessions = worker.slots.flatMap((slot) => (slot.session ? [slot.session] : []));
  const seen = Object.fromEntries(sessions.map((s) => [s.id, s.progress.frames_done]));
  if (before === undefined) return { since: now, made: 0, seen, rates: [] };
  // What a session had done before it was first seen here was not made in this step.
  const more = sessions.reduce(
    (sum, s) => sum + Math.max(0, s.progress.frames_done - (before.seen[s.id] ?? s.progress.frames_done)),
    0,
  );
  const made = before.made + more;
  const length = now - before.since;
  if (length < STEP_MS) return { ...before, made, seen };
  return { since: now, made: 0, seen, rates: [...before.rates, (made * 1000) / length].slice(-STEPS) };
}

/**
 * The points of a thin line, newest at the right edge.
 *
 * @param {number[]} rates
 * @param {number} most the rate at the top
 * @param {number} width
 * @param {number} height
 * @returns {string} for an SVG polyline
 */
export function thinLine(rates, most, width, height) {
  const top = Math.max(most, ...rates, 1);
  const step = width / (STEPS - 1);
  const first = STEPS - rates.length;
  return rates
    .map((rate, i) => `${((first + i) * step).toFixed(1)},${(height - 1 - (rate / top) * (height - 2)).toFixed(1)}`)
    .join(" ");
}
