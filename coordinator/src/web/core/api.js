/**
 * Requests to the server. Each carries an id of its own, so that even a request without an answer has one to quote.
 *
 * @import { Problem } from "./types.js"
 */
import { readAnswer } from "./addresses.js";
import { ProblemError, offline, readProblem } from "./problem.js";

/** @returns {string} 16 hexadecimal digits */
export function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

/** Server time minus this clock, in ms, from the last answer's Date header: ages are told in the server's time. */
let offsetMs = 0;

/** @returns {number} the server's time, ms since 1970, to about a second */
export function serverNow() {
  return Date.now() + offsetMs;
}

/**
 * Asks and reads JSON.
 *
 * @template T
 * @param {string} method
 * @param {string} path
 * @param {{json?: unknown, signal?: AbortSignal}} [more]
 * @returns {Promise<T>} null where the answer has no body
 * @throws {ProblemError}
 */
export async function ask(method, path, more = {}) {
  const requestId = `page-${randomId()}`;
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json", "x-request-id": requestId };
  if (more.json !== undefined) headers["content-type"] = "application/json";
  const body = more.json === undefined ? null : JSON.stringify(more.json);
  let answer;
  let text;
  try {
    answer = await fetch(path, { method, headers, body, signal: more.signal ?? null, credentials: "same-origin" });
    text = await answer.text();
  } catch (error) {
    if (more.signal?.aborted) throw error;
    throw new ProblemError(offline(requestId));
  }
  noteTime(answer.headers.get("date"));
  const header = answer.headers.get("x-request-id") ?? requestId;
  if (!answer.ok) throw new ProblemError(readProblem(answer.status, text, header, answer.headers.get("retry-after")));
  return text === "" ? /** @type {T} */ (null) : readAnswer(text, answer.url);
}

/**
 * Sends a form with files and tells how much has left. XMLHttpRequest, because fetch does not tell.
 *
 * @template T
 * @param {string} path
 * @param {FormData} form
 * @param {{progress: (percent: number) => void, signal: AbortSignal, idempotencyKey?: string}} more percent is 0..100
 * @returns {Promise<{body: T, requestId: string}>}
 * @throws {ProblemError} also when it was aborted: look at the signal
 */
export function upload(path, form, more) {
  const requestId = `page-${randomId()}`;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("accept", "application/json");
    request.setRequestHeader("x-request-id", requestId);
    if (more.idempotencyKey) request.setRequestHeader("idempotency-key", more.idempotencyKey);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable && event.total > 0) more.progress((100 * event.loaded) / event.total);
    });
    request.addEventListener("load", () => {
      noteTime(request.getResponseHeader("date"));
      const header = request.getResponseHeader("x-request-id") ?? requestId;
      if (request.status >= 200 && request.status < 300) {
        resolve({ body: readAnswer(request.responseText, request.responseURL), requestId: header });
      } else {
        const wait = request.getResponseHeader("retry-after");
        reject(new ProblemError(readProblem(request.status, request.responseText, header, wait)));
      }
    });
    const broken = () => reject(new ProblemError(offline(requestId)));
    request.addEventListener("error", broken);
    request.addEventListener("abort", broken);
    more.signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

/** @param {string|null} date */
function noteTime(date) {
  const told = date === null ? Number.NaN : Date.parse(date);
  // The header has whole seconds: an offset below two says nothing.
  if (Number.isFinite(told)) offsetMs = Math.abs(told - Date.now()) < 2000 ? 0 : told - Date.now();
}

/**
 * The problem in whatever was thrown; what is no failed request is thrown on.
 *
 * @param {unknown} error
 * @returns {Problem}
 */
export function problemOf(error) {
  if (error instanceof ProblemError) return error.problem;
  throw error;
}
