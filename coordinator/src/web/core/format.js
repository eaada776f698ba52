/** Numbers and times as people read them. All pure; all give text with its unit. */

/**
 * @param {number} bytes
 * @returns {string} such as "3.4 MB"
 */
export function bytes(bytes) {
  if (!Number.isFinite(bytes)) return "unknown size";
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let value = bytes;
  for (const unit of ["kB", "MB", "GB"]) {
    value /= 1000;
    if (value < 999.5 || unit === "GB") return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  }
  return `${bytes} B`;
}

/**
 * A length or an age, in its two largest units.
 *
 * @param {number} ms
 * @returns {string} such as "4.2 s", "1 min 05 s", "3 h 20 min", "2 d 4 h"
 */
export function duration(ms) {
  if (!Number.isFinite(ms) || ms < 0) return "0 s";
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  return age(ms);
}

/**
 * As `duration`, in whole seconds.
 *
 * @param {number} ms
 * @returns {string}
 */
export function age(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (!Number.isFinite(s)) return "0 s";
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  const min = Math.floor(s / 60);
  if (min < 1440) return `${Math.floor(min / 60)} h ${String(min % 60).padStart(2, "0")} min`;
  return `${Math.floor(min / 1440)} d ${Math.floor((min % 1440) / 60)} h`;
}

/**
 * How long ago, in one unit: for lists.
 *
 * @param {number} ms
 * @returns {string} such as "just now", "40 s ago", "3 min ago"
 */
export function ago(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 5) return "just now";
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86_400)} d ago`;
}

/**
 * Money: small sums keep three significant digits.
 *
 * @param {number|null} usd
 * @returns {string} such as "$12.40", "$0.00131"; "unpriced" for null
 */
export function usd(usd) {
  if (usd === null || !Number.isFinite(usd)) return "unpriced";
  if (usd === 0) return "$0.00";
  const size = Math.abs(usd);
  if (size >= 1000) return `$${Math.round(usd).toLocaleString("en-US")}`;
  if (size >= 0.995) return `$${usd.toFixed(2)}`;
  const digits = Math.min(7, 2 - Math.floor(Math.log10(size)));
  return `$${usd.toFixed(digits)}`;
}

/**
 * What a minute costs when nothing is wasted: an estimate, so two significant digits.
 *
 * @param {number} usd
 * @returns {string} such as "$0.0013"
 */
export function rate(usd) {
  if (!Number.isFinite(usd) || usd <= 0) return "$0.00";
  const digits = Math.max(2, Math.min(7, 1 - Math.floor(Math.log10(usd))));
  return `$${usd.toFixed(digits)}`;
}

/**
 * @param {number|null} share 0..1
 * @returns {string} such as "38%"; "–" for null
 */
export function percent(share) {
  if (share === null || !Number.isFinite(share)) return "–";
  const value = share * 100;
  return value > 0 && value < 9.95 ? `${value.toFixed(1)}%` : `${Math.round(value)}%`;
}

/**
 * A plain quantity: two or three digits that matter, thousands grouped.
 *
 * @param {number} value
 * @returns {string}
 */
export function quantity(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 100) return Math.round(value).toLocaleString("en-US");
  if (size >= 10) return value.toFixed(1);
  return size < 0.005 ? "<0.01" : value.toFixed(2);
}

/**
 * @param {number} n from 1
 * @returns {string} "1st", "2nd", "3rd", "11th"
 */
export function ordinal(n) {
  const teens = n % 100;
  const suffix = teens >= 11 && teens <= 13 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${suffix}`;
}

/**
 * @param {number} n
 * @param {string} one
 * @param {string} [many]
 * @returns {string} such as "1 session", "2 sessions"
 */
export function count(n, one, many = `${one}s`) {
  return `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
}

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const MOMENT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** @param {number} ms since 1970 @returns {string} such as "25 Nov", in the viewer's zone */
export const day = (ms) => DAY.format(ms);
/** @param {number} ms since 1970 @returns {string} such as "25 Nov, 16:00" */
export const moment = (ms) => MOMENT.format(ms);
/** @param {number} ms since 1970 @returns {string} such as "16:00" */
export const clock = (ms) => CLOCK.format(ms);

/**
 * The short form of a prefixed id, for narrow places; the whole one belongs in a title.
 *
 * @param {string} id
 * @returns {string} prefix and last six characters
 */
export function shortId(id) {
  const cut = id.indexOf("_") + 1;
  return id.length - cut <= 8 ? id : `${id.slice(0, cut)}…${id.slice(-6)}`;
}
