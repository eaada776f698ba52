/**
 * Addresses in the server's answers: relative to the one that was asked, whatever a proxy puts before it. The page asks with
 * addresses relative to its own, for the same reason.
 */

/** The members that are addresses. */
const ADDRESSES = new Set(["preview", "url", "whep_url", "audio_url"]);

/**
 * Reads JSON, and makes its addresses whole.
 *
 * @param {string} text
 * @param {string} asked the address that answered; none if it is empty
 * @returns {any}
 */
export function readAnswer(text, asked) {
  return JSON.parse(text, (name, value) =>
    ADDRESSES.has(name) && typeof value === "string" ? whole(value, asked) : value,
  );
}

/** @param {string} address @param {string} asked */
function whole(address, asked) {
  try {
    return new URL(address, asked).href;
  } catch {
    // Somebody's own words of the same name (a session's metadata).
    return address;
  }
}
