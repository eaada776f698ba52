/**
 * How long things are kept, in words.
 *
 * @import { Retention } from "../core/types.js"
 */
import { count, day } from "../core/format.js";

/** @param {number|null} seconds @returns {string} such as "7 days", "36 hours" */
function span(seconds) {
  if (seconds === null) return "ever";
  const units = /** @type {const} */ ([
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ]);
  const [length, unit] = units.find(([length]) => seconds % length === 0) ?? [1, "second"];
  return count(seconds / length, unit);
}

/**
 * @param {Retention} kept
 * @param {boolean} facesOnly nothing else is uploaded
 * @returns {string} one sentence
 */
export function keptWords(kept, facesOnly) {
  const faces = `for ${span(kept.avatars_s)}`;
  if (facesOnly) return `Faces are kept ${faces}${kept.avatars_s === null ? "" : " after their last use"}.`;
  const uploads = `for ${span(kept.uploads_s)}${kept.uploads_s === null ? "" : " after their last use"}`;
  return `Recordings are kept ${uploads}, faces ${faces}, videos for ${span(kept.results_s)}.`;
}

/** @param {string} removed when @param {Retention|null} kept @returns {string} */
export function removedWords(removed, kept) {
  const age = kept?.results_s ? `: videos are kept for ${span(kept.results_s)}` : "";
  return `The video was removed on ${day(Date.parse(removed))}${age}.`;
}

/** What becomes of a deleted face's data. @param {Retention|null} kept @returns {string} goes on after a comma */
export function deletedWords(kept) {
  if (kept === null) return "its picture and prepared data later.";
  if (kept.uploads_s === null) return "its picture and prepared data stay in the store.";
  return `its picture and prepared data ${span(kept.uploads_s)} after they were used last.`;
}
