import assert from "node:assert/strict";
import test from "node:test";
import { deletedWords, keptWords, removedWords } from "../../../coordinator/src/web/state/kept.js";

const DAY = 86_400;
const kept = { uploads_s: 7 * DAY, results_s: DAY, avatars_s: 90 * DAY };

test("how long things are kept is one sentence", () => {
  const all = "Recordings are kept for 7 days after their last use, faces for 90 days, videos for 1 day.";
  assert.equal(keptWords(kept, false), all);
  assert.equal(keptWords(kept, true), "Faces are kept for 90 days after their last use.");
  assert.equal(keptWords({ ...kept, avatars_s: null }, true), "Faces are kept for ever.");
  const odd = { uploads_s: null, results_s: 1.5 * DAY, avatars_s: 60 };
  assert.equal(keptWords(odd, false), "Recordings are kept for ever, faces for 1 minute, videos for 36 hours.");
});

test("what was removed is said with its day and the rule", () => {
  const removed = "2026-12-06T12:00:00.000Z";
  assert.equal(removedWords(removed, kept), "The video was removed on 6 Dec: videos are kept for 1 day.");
  assert.equal(removedWords(removed, null), "The video was removed on 6 Dec.");
});

test("what a deletion means is said truly", () => {
  assert.match(deletedWords(kept), /7 days after they were used last\.$/);
  assert.match(deletedWords({ ...kept, uploads_s: null }), /stay in the store\.$/);
  assert.match(deletedWords(null), /later\.$/);
});
