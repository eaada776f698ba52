/**
 * A report by hour or day as points of a chart, and the scale that fits them. Pure.
 *
 * @import { CostReport } from "../core/types.js"
 *
 * @typedef {{at: number, value: number|null, say: string}} Point `at` is the start of its hour or day
 * @typedef {object} Series
 * @property {string} title
 * @property {string} unitWord
 * @property {"line"|"bars"} style
 * @property {Point[]} points in order of time, one for each step from `from` to `to`
 * @property {(value: number) => string} say a value in a sentence
 * @property {number} step ms
 * @property {number} from
 * @property {number} to
 * @property {(value: number, step: number) => string} tick a value of an axis with steps of that size
 */
import { clock, day, moment, quantity, usd } from "../core/format.js";

const STEPS = { hour: 3_600_000, day: 86_400_000 };

/**
 * Cost per delivered minute where prices are known; delivered minutes where they are not.
 *
 * @param {CostReport} report
 * @param {"hour"|"day"} unit
 * @returns {Series}
 */
export function series(report, unit) {
  const step = STEPS[unit];
  const from = Math.floor(Date.parse(report.from) / step) * step;
  const to = Math.max(from + step, Math.ceil(Date.parse(report.to) / step) * step);
  const priced = report.rows.some((row) => row.usd_per_minute !== null && row.delivered_minutes > 0);
  const known = new Map(report.rows.map((row) => [Math.floor(Date.parse(row.group ?? "") / step) * step, row]));
  const name = unit === "hour" ? moment : day;
  /** @type {Point[]} */
  const points = [];
  for (let at = from; at < to && points.length < 1000; at += step) {
    const row = known.get(at);
    const minutes = row?.delivered_minutes ?? 0;
    const cost = row && minutes > 0 ? row.usd_per_minute : null;
    const told = [`${quantity(minutes)} min delivered`];
    if (cost !== null) told.unshift(`${usd(cost)} a minute`);
    points.push({ at, value: priced ? cost : minutes, say: `${name(at)}: ${told.join(", ")}` });
  }
  return {
    title: priced ? "Cost of a delivered minute" : "Delivered minutes",
    unitWord: `${priced ? "USD a minute" : "Minutes"}, by ${unit}`,
    style: priced ? "line" : "bars",
    points,
    say: priced ? (value) => `${usd(value)} a minute` : (value) => `${quantity(value)} min`,
    step,
    from,
    to,
    tick: (value, step) => (priced ? "$" : "") + value.toFixed(decimals(step, priced ? 2 : 0)),
  };
}

/**
 * Digits after the point that tell one step of an axis from the next.
 *
 * @param {number} step
 * @param {number} least
 * @returns {number}
 */
const decimals = (step, least) => Math.min(8, Math.max(least, Math.ceil(-Math.log10(step) - 1e-9)));

/**
 * Round values from 0 to at least `max`, for an axis.
 *
 * @param {number} max
 * @param {number} [wanted] about how many steps
 * @returns {number[]} at least two, ascending
 */
export function ticks(max, wanted = 4) {
  if (!(max > 0)) return [0, 1];
  const rough = max / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((m) => m * power >= rough * 0.999) ?? 10) * power;
  const count = Math.ceil(max / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

/**
 * Where the time axis is labelled.
 *
 * @param {number} from
 * @param {number} to
 * @param {number} step
 * @param {number} room how many labels fit
 * @returns {{at: number, word: string}[]}
 */
export function timeTicks(from, to, step, room) {
  const steps = Math.round((to - from) / step);
  const hourly = step < STEPS.day;
  const strides = hourly ? [1, 2, 3, 6, 12, 24] : [1, 2, 3, 5, 7, 14, 30, 60, 90];
  const stride = strides.find((s) => steps / s <= room) ?? Math.ceil(steps / room);
  const out = [];
  for (let i = 0; i < steps; i += stride) {
    const at = from + i * step;
    const midnight = new Date(at).getHours() < stride && i > 0;
    out.push({ at, word: hourly && !midnight ? clock(at) : day(at) });
  }
  return out;
}

/**
 * Runs of points that have a value: a line must not cross hours in which nothing was delivered.
 *
 * @param {Point[]} points
 * @returns {{at: number, value: number}[][]}
 */
export function runs(points) {
  /** @type {{at: number, value: number}[][]} */
  const out = [];
  let open = false;
  for (const { at, value } of points) {
    if (value === null) {
      open = false;
      continue;
    }
    if (!open) out.push([]);
    open = true;
    out[out.length - 1]?.push({ at, value });
  }
  return out;
}
