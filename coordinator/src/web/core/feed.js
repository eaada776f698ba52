/**
 * A stream of server-sent events that comes back by itself and says when it is away.
 *
 * @typedef {"connecting"|"live"|"lost"} Link
 */
import { readAnswer } from "./addresses.js";

/** First and longest wait before the next try, ms. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/**
 * The wait before try number `tries` (from 1): doubles, and is bounded.
 *
 * @param {number} tries
 * @returns {number} ms
 */
export function waitBefore(tries) {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.max(0, tries - 1));
}

/**
 * An event's data, or null if it is not the JSON object that it should be.
 *
 * @param {unknown} data
 * @param {string} [asked] the stream's address
 * @returns {any}
 */
export function parseData(data, asked = "") {
  if (typeof data !== "string") return null;
  try {
    const value = readAnswer(data, asked);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Opens the stream at `url`.
 *
 * @param {string} url
 * @param {Record<string, (data: any) => void>} handlers by event name; each gets the parsed data
 * @param {(link: Link) => void} onLink told at each change
 * @returns {() => void} closes it for good
 */
export function openFeed(url, handlers, onLink) {
  /** @type {EventSource|null} */
  let source = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  let tries = 0;
  let closed = false;

  const connect = () => {
    const opened = new EventSource(url);
    source = opened;
    opened.addEventListener("open", () => {
      tries = 0;
      onLink("live");
    });
    for (const [name, handle] of Object.entries(handlers)) {
      opened.addEventListener(name, (event) => {
        if (closed) return;
        const data = parseData(/** @type {MessageEvent} */ (event).data, opened.url);
        if (data !== null) handle(data);
      });
    }
    opened.addEventListener("error", () => {
      if (closed) return;
      // The browser's own retry knows no bound and stops at the first refusal: this one replaces it.
      opened.close();
      tries += 1;
      onLink("lost");
      timer = setTimeout(connect, waitBefore(tries));
    });
  };

  onLink("connecting");
  connect();
  return () => {
    closed = true;
    clearTimeout(timer);
    source?.close();
  };
}
