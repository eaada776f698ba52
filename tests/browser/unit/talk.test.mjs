/** What the Studio says while one talks live. */
import assert from "node:assert/strict";
import test from "node:test";
import {
  failureOf,
  isTalking,
  latency,
  talkChanged,
  talkMoved,
  talkOver,
  talkStarted,
  talkWords,
} from "../../../coordinator/src/web/state/live.js";
import { isNews, sessionArrived } from "../../../coordinator/src/web/state/sessions.js";
import { endRemedy, endSentence, sessionWords } from "../../../coordinator/src/web/state/words.js";
import { session, signedInState } from "./build.mjs";

/** @typedef {import("../../../coordinator/src/web/state/live.js").Talk} Talk */

const live = (/** @type {Partial<import("../../../coordinator/src/web/core/types.js").Session>} */ change) =>
  session({ kind: "live", ...change });

/** @param {Partial<Talk>} change */
const words = (change) => talkWords(talkChanged(signedInState(), change));

test("each wait for a face has a name", () => {
  assert.equal(words({ phase: "microphone" }).word, "Waiting for the microphone");
  assert.match(words({ phase: "microphone" }).hint ?? "", /Your browser asks/, "and the reason");
  const sending = words({ phase: "face", percent: 40.7 });
  assert.deepEqual([sending.word, sending.measure, sending.percent], ["Sending the portrait", "40%", 40.7]);
  assert.equal(words({ phase: "session" }).word, "Asking for a slot");
  assert.equal(words({ phase: "connecting", step: "asking", detail: "No slot yet." }).hint, "No slot yet.");
  assert.equal(words({ phase: "connecting", step: "finding" }).word, "Finding a path");
  assert.equal(words({ phase: "connecting", step: "waiting" }).word, "Waiting for the first frame");
  assert.equal(words({ phase: "reconnecting", step: "restarting" }).word, "Mending the connection");
  assert.equal(words({ phase: "reconnecting", step: "asking" }).word, "Reconnecting");
  assert.equal(words({ phase: "live" }).word, "Silent");
  assert.equal(words({ phase: "live", talking: true }).word, "Listening");
  assert.equal(words({ phase: "live", mood: "listening" }).word, "Listening");
  assert.equal(words({ phase: "live", mood: "talking", saying: { name: "a.wav", eventId: "1" } }).hint, "a.wav");
});

test("while it waits for a slot, the session's own words are said", () => {
  const waiting = talkChanged(signedInState(), { phase: "connecting", step: "asking", session: "ses_1" });
  const say = (/** @type {Parameters<typeof live>[0]} */ change) => {
    const { word, measure } = talkWords(sessionArrived(waiting, live(change), 0));
    return measure === null ? word : `${word} ${measure}`;
  };
  assert.equal(say({ queue_position: 2 }), "Waiting for a slot 2nd in line");
  assert.equal(say({ state: "assigned" }), "Slot found, starting");
  assert.equal(say({ state: "preparing" }), "Analysing the face");
  assert.equal(say({ state: "live" }), "Asking for a slot");
});

test("it is over once, and a late word of the connection changes nothing", () => {
  const started = talkStarted(signedInState(), "microphone", false);
  assert.deepEqual([isTalking(started), started.talk.hear], [true, false]);
  const moved = talkMoved(started, { phase: "live", step: null, detail: null });
  assert.equal(moved.talk.phase, "live");
  assert.equal(talkMoved(moved, { phase: "closed", step: null, detail: null }), moved, "whoever ended it says so");
  const over = talkOver(talkChanged(moved, { talking: true }), null);
  assert.deepEqual([over.talk.phase, over.talk.talking], ["off", false]);
  assert.equal(talkMoved(over, { phase: "live", step: null, detail: null }), over);
});

test("a live session's ends read as what they are", () => {
  const said = (/** @type {import("../../../coordinator/src/web/core/types.js").EndReason} */ reason) => {
    const { word, shape } = sessionWords(live({ state: "ended", end: { reason, detail: null } }));
    assert.match(endSentence({ reason, detail: null }, "live"), /^[A-Z].*\.$/);
    assert.equal(endRemedy({ reason, detail: null }, "live") !== null, shape === "failed", reason);
    return `${word}, ${shape}`;
  };
  assert.equal(said("cancelled"), "Ended, done");
  assert.equal(said("idle_timeout"), "Went quiet, stopped");
  assert.equal(said("participant_absent"), "Nobody came, stopped");
  assert.equal(said("participant_left"), "Viewer left, done");
  assert.equal(said("max_duration"), "Time is up, stopped");
  for (const reason of /** @type {const} */ (["bad_input", "no_capacity", "lost", "failed"]))
    assert.match(said(reason), /failed$/);
  assert.equal(sessionWords(live({ state: "live" })).word, "Live");
  assert.equal(sessionWords(live({ state: "draining" })).word, "Ending");
});

test("live is later news than preparing, and moving back to the queue too", () => {
  assert.equal(isNews(live({ state: "preparing" }), live({ state: "live" })), true);
  assert.equal(isNews(live({ state: "live" }), live({ state: "preparing" })), false);
  assert.equal(isNews(live({ state: "live" }), live({ state: "requested", fence: 2 })), true);
});

test("latency is told stage by stage, in the words of people", () => {
  const stage = (/** @type {string} */ stage, p50_ms = 1) => ({ stage, p50_ms, p99_ms: p50_ms * 2 });
  const status = {
    mood: /** @type {const} */ ("talking"),
    viewers: 1,
    fps: 25,
    ticks: 1,
    missed: 0,
    bitrate: 1,
    buffered_ms: 0,
    stages: [stage("chunk", 40), stage("features"), stage("a_new_one"), stage("total", 70)],
  };
  assert.deepEqual(latency(status), {
    total: { p50: 70, p99: 140 },
    stages: [
      { name: "Wait", ms: 40 },
      { name: "Look-ahead", ms: 28 },
      { name: "Features", ms: 1 },
      { name: "A_new_one", ms: 1 },
    ],
  });
  assert.deepEqual(latency(null), { total: null, stages: [] });
});

test("a refused session says what to do and which request it was", () => {
  const problem = {
    slug: "no-capacity",
    title: "",
    detail: "all slots are taken",
    status: 503,
    request_id: "r1",
    field: null,
  };
  assert.deepEqual(failureOf({ ...problem, retry_after_s: 7 }), {
    sentence: "All slots are taken.",
    remedy: "Try again in 7 s.",
    ids: [["Request", "r1"]],
    again: true,
  });
  assert.equal(failureOf({ ...problem, status: 422, slug: "invalid", retry_after_s: null }).again, false);
});
