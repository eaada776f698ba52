import assert from "node:assert/strict";
import test from "node:test";
import {
  capital,
  endRemedy,
  endSentence,
  sessionWords,
  workerWords,
} from "../../../coordinator/src/web/state/words.js";
import { frames, session } from "./build.mjs";

test("every wait has a name and, where there is one, a measure", () => {
  const say = (
    /** @type {Partial<import("../../../coordinator/src/web/core/types.js").Session>} */ change,
    /** @type {number|null} */ times = null,
  ) => {
    const { word, measure } = sessionWords(session(change), times);
    return measure === null ? word : `${word} ${measure}`;
  };
  assert.equal(say({ queue_position: 2 }), "Waiting for a slot 2nd in line");
  assert.equal(say({}), "Waiting for a slot");
  assert.equal(say({ state: "preparing" }), "Analysing the face");
  assert.equal(say({ state: "rendering", progress: frames(63, 100) }, 4.23), "Rendering 63% · 4.2× real time");
  assert.equal(say({ state: "rendering" }, null), "Rendering");
  assert.equal(say({ state: "rendering", progress: frames(999, 1000) }, 12.7), "Rendering 99% · 13× real time");
});

test("every end has a sentence, and every failure a remedy", () => {
  for (const reason of /** @type {const} */ ([
    "completed",
    "cancelled",
    "bad_input",
    "no_capacity",
    "max_duration",
    "lost",
    "failed",
    "idle_timeout",
    "participant_absent",
    "participant_left",
  ])) {
    assert.match(endSentence({ reason, detail: null }), /^[A-Z].*\.$/);
    const shape = sessionWords(session({ state: "ended", end: { reason, detail: null } })).shape;
    assert.equal(endRemedy({ reason, detail: null }) !== null, shape === "failed", reason);
  }
  assert.equal(endSentence({ reason: "bad_input", detail: "no face was found" }), "No face was found.");
});

test("workers' states differ in shape as well as in word", () => {
  const states = /** @type {const} */ (["idle", "busy", "draining", "lost"]).map(workerWords);
  assert.equal(new Set(states.map((s) => s.shape)).size, 4);
  assert.equal(new Set(states.map((s) => s.word)).size, 4);
});

test("a server's words become sentences", () => {
  assert.equal(capital("fps must be 25 or 30"), "Fps must be 25 or 30.");
  assert.equal(capital("Done."), "Done.");
});
