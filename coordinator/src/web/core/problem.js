/**
 * Failures as values: what the server said, or that it said nothing, always with a sentence and a request id.
 *
 * @import { Problem } from "./types.js"
 */

/** A failed request. */
export class ProblemError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.detail);
    this.name = "ProblemError";
    this.problem = problem;
  }
}

/** Words for answers that carry no problem document (a proxy's, say). */
const TITLES = /** @type {Record<number, string>} */ ({
  401: "Not signed in",
  403: "Not allowed",
  404: "Not found",
  413: "Too large",
  429: "Over the quota",
  502: "The server is not reachable",
  503: "No capacity",
  504: "The server did not answer in time",
});

/**
 * Reads a failed answer.
 *
 * @param {number} status
 * @param {string} body
 * @param {string|null} requestId from the answer's header
 * @param {string|null} retryAfter from the answer's header
 * @returns {Problem}
 */
export function readProblem(status, body, requestId, retryAfter) {
  /** @type {Record<string, unknown>} */
  let told = {};
  try {
    const parsed = JSON.parse(body);
    if (parsed !== null && typeof parsed === "object") told = parsed;
  } catch {
    // Not JSON: the status alone must do.
  }
  /** @param {string} name */
  const text = (name) => (typeof told[name] === "string" && told[name] !== "" ? String(told[name]) : null);
  const title = text("title") ?? TITLES[status] ?? `The server answered ${status}`;
  const wait = Number(told.retry_after_s ?? retryAfter ?? Number.NaN);
  return {
    slug: (text("type") ?? "").split("/").pop() || `status-${status}`,
    title,
    detail: text("detail") ?? `${title} (status ${status}, without an explanation)`,
    status,
    request_id: text("request_id") ?? requestId,
    field: text("field"),
    retry_after_s: Number.isFinite(wait) ? wait : null,
  };
}

/**
 * No answer came.
 *
 * @param {string} requestId the id that the request carried
 * @returns {Problem}
 */
export function offline(requestId) {
  return {
    slug: "offline",
    title: "No answer",
    detail: "The server did not answer, or the connection broke.",
    status: 0,
    request_id: requestId,
    field: null,
    retry_after_s: null,
  };
}

/**
 * What the page itself refuses before it asks the server.
 *
 * @param {string} detail
 * @param {string|null} field
 * @returns {Problem}
 */
export function refusedHere(detail, field) {
  return { slug: "page", title: "Not sent", detail, status: 0, request_id: null, field, retry_after_s: null };
}

/**
 * What to do about it, in a sentence; null where the detail says it all.
 *
 * @param {Problem} problem
 * @returns {string|null}
 */
export function remedy(problem) {
  const wait = problem.retry_after_s;
  switch (problem.slug) {
    case "offline":
      return "See that mouthpiece is still running, then try again: nothing is done twice.";
    case "forbidden":
      return "Sign in with a key that has the scope, or ask whoever keeps the keys.";
    case "over-quota":
    case "no-capacity":
      return wait === null ? "Try again in a little while." : `Try again in ${wait} s.`;
    case "store-unavailable":
    case "internal":
      return "Try again; if it stays, give the request id to whoever runs the farm.";
    case "too-large":
      return "Choose a smaller file.";
    default:
      return null;
  }
}
