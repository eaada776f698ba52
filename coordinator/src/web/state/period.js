/**
 * Periods of the cost report: from a choice to the two ends that the server is asked for.
 *
 * @import { CostState, Group } from "./state.js"
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LENGTHS = { "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY };

/** What people call the periods. */
export const PERIODS = /** @type {const} */ ([
  ["24h", "24 hours"],
  ["7d", "7 days"],
  ["30d", "30 days"],
  ["custom", "Custom"],
]);

/**
 * The ends of the chosen period, in ms since 1970. Custom days are taken in UTC, as the server's days are.
 *
 * @param {Pick<CostState, "period"|"from"|"to">} chosen
 * @param {number} now
 * @returns {{from: number, to: number}|null} null if the custom days are missing or the wrong way round
 */
export function ends(chosen, now) {
  if (chosen.period !== "custom") return { from: now - LENGTHS[chosen.period], to: now };
  const from = Date.parse(`${chosen.from}T00:00:00Z`);
  const to = Date.parse(`${chosen.to}T00:00:00Z`) + DAY;
  return Number.isFinite(from) && Number.isFinite(to) && from < to ? { from, to } : null;
}

/**
 * @param {{from: number, to: number}} period
 * @returns {"hour"|"day"} what the chart's points stand for
 */
export const grain = (period) => (period.to - period.from <= 3 * DAY ? "hour" : "day");

/**
 * The report's address.
 *
 * @param {{from: number, to: number}} period
 * @param {Group|"hour"|"day"} group
 * @param {"json"|"csv"} format
 * @returns {string}
 */
export function reportPath(period, group, format) {
  const query = new URLSearchParams({
    from: new Date(period.from).toISOString(),
    to: new Date(period.to).toISOString(),
    group_by: group,
    format,
  });
  return `v1/reports/cost?${query}`;
}

/**
 * Where a custom period starts out.
 *
 * @param {number} now
 * @returns {{from: string, to: string}} days in UTC
 */
export function lastWeek(now) {
  const dayOf = (/** @type {number} */ ms) => new Date(ms).toISOString().slice(0, 10);
  return { from: dayOf(now - 6 * DAY), to: dayOf(now) };
}
