import assert from "node:assert/strict";
import test from "node:test";
import { Store } from "../../../coordinator/src/web/core/store.js";
import { signedOut } from "../../../coordinator/src/web/state/page.js";
import {
  REMEMBERED,
  avatarArrived,
  avatarGone,
  isNews,
  newestFirst,
  sessionArrived,
  sessionsListed,
  speed,
} from "../../../coordinator/src/web/state/sessions.js";
import {
  avatarChosen,
  currentSession,
  missing,
  portraitPicked,
  recentRenders,
  renderAccepted,
  sendingFailed,
  sendingMoved,
  sendingStarted,
  speechPicked,
} from "../../../coordinator/src/web/state/studio.js";
import { frames, session, signedInState } from "./build.mjs";

const pick = { file: new Blob(["x"]), name: "x.wav", url: "blob:x", video: false };

test("late news changes nothing", () => {
  const rendering = session({ state: "rendering", progress: frames(50, 100) });
  assert.equal(isNews(rendering, session({ state: "preparing" })), false, "an earlier state");
  assert.equal(isNews(rendering, session({ state: "rendering", progress: frames(40, 100) })), false, "fewer frames");
  assert.equal(isNews(rendering, session({ state: "requested", fence: 2 })), true, "placed again");
  assert.equal(isNews(session({ fence: 2 }), rendering), false, "an old placement");
  const ended = session({ state: "ended", end: { reason: "completed", detail: null } });
  assert.equal(isNews(ended, session({ state: "rendering", fence: 9 })), false, "nothing follows the end");
  assert.equal(isNews(rendering, ended), true);
});

test("a list does not take away the place in the queue, but a start does", () => {
  let state = sessionArrived(signedInState(), session({ queue_position: 2 }), 0);
  state = sessionsListed(state, [session()], null, 1);
  assert.equal(state.sessions.byId.ses_1?.queue_position, 2);
  state = sessionArrived(state, session({ state: "assigned" }), 2);
  assert.equal(state.sessions.byId.ses_1?.queue_position, null);
});

test("at most so many are remembered, and open ones are not forgotten", () => {
  let state = sessionArrived(signedInState(), session({ id: "open", created: "2020-01-01T00:00:00.000Z" }), 0);
  for (let i = 0; i < REMEMBERED + 20; i += 1) {
    const created = new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString();
    state = sessionArrived(state, session({ id: `s${i}`, created, state: "ended" }), i);
  }
  assert.equal(Object.keys(state.sessions.byId).length, REMEMBERED);
  assert.ok("open" in state.sessions.byId);
  assert.ok(!("s0" in state.sessions.byId));
  assert.ok(`s${REMEMBERED + 19}` in state.sessions.byId);
});

test("speed is video time over time, from the last seconds only", () => {
  let state = renderAccepted(
    signedInState(),
    session(),
    { portrait: null, avatarId: "avt_1", speech: pick, options: session().options },
    "req",
  );
  for (const [t, done] of [
    [0, 0],
    [1000, 50],
    [2000, 100],
    [9000, 1500],
  ]) {
    state = sessionArrived(state, session({ state: "rendering", progress: frames(done ?? 0, 3000) }), t ?? 0);
  }
  assert.equal(speed(state.studio.trails.ses_1, 25), null, "one point left");
  state = sessionArrived(state, session({ state: "rendering", progress: frames(1700, 3000) }), 11_000);
  assert.equal(speed(state.studio.trails.ses_1, 25), 4);
  assert.equal(speed([], 25), null);
  assert.equal(
    speed(
      [
        { t: 0, frames: 5 },
        { t: 100, frames: 9 },
      ],
      25,
    ),
    null,
    "too short a time",
  );
});

test("the newest come first; ids break ties", () => {
  const list = [session({ id: "a" }), session({ id: "b" }), session({ id: "c", created: "2026-11-25T17:00:00.000Z" })];
  assert.deepEqual(
    newestFirst(list).map((s) => s.id),
    ["c", "b", "a"],
  );
});

test("recent holds one's own renders only, also for a key that sees the whole farm", () => {
  let state = signedInState();
  for (const s of [session(), session({ id: "ses_2", kind: "prepare" }), session({ id: "ses_3", key: "key_2" })])
    state = sessionArrived(state, s, 0);
  assert.deepEqual(
    recentRenders(state).map((s) => s.id),
    ["ses_1"],
  );
});

test("what is missing for a render is said", () => {
  let state = signedInState();
  assert.equal(missing(state), "Choose a face and a recording.");
  state = speechPicked(state, pick);
  assert.equal(missing(state), "Choose a face.");
  state = portraitPicked(state, pick);
  assert.equal(missing(state), null);
  /** @type {import("../../../coordinator/src/web/core/types.js").Avatar} */
  const failed = {
    id: "avt_9",
    name: "",
    state: "failed",
    detail: "no face",
    warnings: [],
    preview: null,
    size: null,
    framing: null,
    frames: null,
    created: "",
    expires_at: null,
  };
  state = avatarChosen(avatarArrived(state, failed), "avt_9");
  assert.equal(state.studio.portrait, null);
  assert.match(missing(state) ?? "", /could not be prepared/);
  state = avatarGone(state, "avt_9");
  assert.equal(state.studio.avatarId, null);
  assert.equal(missing(state), "Choose a face.");
});

test("an upload moves, ends, and is not revived by a late progress event", () => {
  let state = sendingMoved(sendingStarted(signedInState(), false), 40);
  assert.equal(state.studio.sending?.percent, 40);
  state = sendingFailed(state, null);
  assert.equal(sendingMoved(state, 60), state);
});

test("signing out forgets what the key could see and keeps what the user picked", () => {
  let state = sessionArrived(speechPicked(signedInState(), pick), session(), 0);
  state = signedOut(state, null);
  assert.deepEqual(state.sessions.byId, {});
  assert.equal(state.studio.speech, pick);
  assert.equal(currentSession(state), null);
});

test("the store tells of changes only", () => {
  const store = new Store({ n: 0 });
  let told = 0;
  const stop = store.listen(() => (told += 1));
  const add = (/** @type {{n: number}} */ s, /** @type {number} */ by) => (by === 0 ? s : { n: s.n + by });
  store.update(add, 2);
  store.update(add, 0);
  stop();
  store.update(add, 1);
  assert.equal(store.get().n, 3);
  assert.equal(told, 1);
});
