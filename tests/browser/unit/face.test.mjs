/** The client library's life: connecting, waiting, mending, speaking, leaving. */
import assert from "node:assert/strict";
import test from "node:test";
import { LiveError, MouthpieceLive } from "../../../coordinator/src/web/live/mouthpiece.js";
import { Events, Peer, Socket, network, until, well } from "./network.mjs";

/** @typedef {import("../../../coordinator/src/web/live/mouthpiece.js").LiveOptions} LiveOptions */

/** @param {import("node:test").TestContext} t @param {Partial<LiveOptions>} [more] */
async function connected(t, more = {}) {
  /** @type {string[]} */
  const states = [];
  const face = await MouthpieceLive.connect({
    baseUrl: "http://farm.test/",
    sessionId: "ses_1",
    token: "mps_x",
    iceServers: [],
    onstate: ({ phase, step }) => states.push(step === null ? phase : `${phase} ${step}`),
    ...more,
  });
  t.after(() => face.close());
  return { face, states };
}

const STEPS = ["connecting asking", "connecting finding", "connecting waiting", "live"];

test("a face is watched by WHEP: offer, candidates, and goodbye", async (t) => {
  const asked = network(t, well);
  const { face, states } = await connected(t);
  assert.deepEqual(states, STEPS);
  await until(() => asked.some((r) => r.method === "PATCH"), "candidates are told");
  await face.close();
  assert.deepEqual(
    asked.map((r) => `${r.method} ${r.path}`),
    [
      "POST /v1/sessions/ses_1/whep",
      "PATCH /v1/sessions/ses_1/whep/viewer-1",
      "DELETE /v1/sessions/ses_1/whep/viewer-1",
    ],
  );
  const [post, patch] = asked;
  assert.equal(post?.headers.authorization, "Bearer mps_x");
  assert.equal(post?.headers["content-type"], "application/sdp");
  assert.equal(patch?.headers["if-match"], '"tag-1"');
  assert.equal(patch?.headers["content-type"], "application/trickle-ice-sdpfrag");
  assert.match(patch?.body ?? "", /a=candidate:.*\r\na=end-of-candidates\r\n$/);
  assert.deepEqual(
    Peer.all[0]?.transceivers.map((x) => x.direction),
    ["recvonly", "recvonly"],
  );
  assert.equal(states.at(-1), "closed");
  assert.equal(Socket.all[0]?.url, "ws://farm.test/v1/sessions/ses_1/audio?token=mps_x");
  assert.equal(Socket.all[0]?.readyState, 3);
});

test("without ICE servers they are asked for; later ones come with the answer", async (t) => {
  const turn = { urls: ["turn:t.example"], username: "u", credential: "c" };
  const asked = network(t, (request) => {
    if (request.method === "GET") return { body: JSON.stringify({ live: { ice_servers: [turn] } }) };
    const answer = well(request);
    return {
      ...answer,
      headers: { ...answer.headers, link: '<turn:new.example>; rel="ice-server"; username="v"; credential="d"' },
    };
  });
  await connected(t, { iceServers: undefined });
  assert.equal(asked[0]?.path, "/v1/sessions/ses_1");
  assert.deepEqual(Peer.all[0]?.config.iceServers, [turn]);
  Peer.all[0]?.sayGoodbye();
  await until(() => Peer.all.length === 2, "it connects again");
  assert.deepEqual(Peer.all[1]?.config.iceServers, [{ urls: "turn:new.example", username: "v", credential: "d" }]);
});

test("a session that waits for its slot is waited for, with its words; one that has ended is not", async (t) => {
  /** @type {(string|null)[]} */
  const details = [];
  network(t, (request, n) =>
    request.method === "POST" && n < 4
      ? {
          status: 409,
          headers: { "retry-after": "0" },
          body: JSON.stringify({ detail: `number ${4 - n} in the queue` }),
        }
      : well(request),
  );
  await connected(t, { onstate: ({ detail }) => details.push(detail) });
  assert.deepEqual(details.filter(Boolean), [
    "Number 3 in the queue.",
    "Number 2 in the queue.",
    "Number 1 in the queue.",
  ]);
  assert.equal(Peer.all.length, 1, "one offer for all tries");

  network(t, () => ({ status: 409, body: JSON.stringify({ detail: "the session has ended (idle_timeout)" }) }));
  await assert.rejects(
    connected(t),
    (/** @type {LiveError} */ error) => error.step === "signalling" && /ended/.test(error.sentence),
  );
});

test("a server that is away for a moment is asked again; a wrong token is told at once", async (t) => {
  const asked = network(t, (request, n) => (request.method === "POST" && n === 1 ? { status: 0 } : well(request)));
  const { states } = await connected(t);
  assert.equal(asked.filter((r) => r.method === "POST").length, 2);
  assert.equal(states.at(-1), "live");

  network(t, () => ({ status: 401, body: JSON.stringify({ detail: "token expired" }) }));
  /** @type {LiveError[]} */
  const errors = [];
  await assert.rejects(connected(t, { onerror: (error) => errors.push(error) }));
  assert.deepEqual(
    errors.map((e) => [e.step, e.status, e.fatal]),
    [["signalling", 401, true]],
  );
});

test("without a path the failing step is named", async (t) => {
  const asked = network(t, well);
  Peer.reaches = false;
  /** @type {LiveError[]} */
  const errors = [];
  await assert.rejects(connected(t, { onerror: (e) => errors.push(e) }), LiveError);
  assert.equal(errors[0]?.step, "ice");
  assert.match(errors[0]?.sentence ?? "", /203\.0\.113\.7:40000/);
  assert.equal(errors.length, 1);
  assert.equal(asked.at(-1)?.method, "DELETE", "what the server held is freed");
});

test("a path that broke is mended by an ICE restart", async (t) => {
  const fragment = "a=ice-ufrag:srv2\r\na=ice-pwd:again\r\na=candidate:1 1 udp 1 203.0.113.9 41000 typ host\r\n";
  const asked = network(t, (request) =>
    request.method === "PATCH" && request.headers["if-match"] === "*"
      ? { status: 200, body: fragment, headers: { etag: '"tag-2"' } }
      : well(request),
  );
  const { states } = await connected(t);
  const [peer] = Peer.all;
  await until(() => asked.some((r) => r.method === "PATCH"), "the first candidates are told");
  peer?.turn("failed");
  await until(() => states.at(-1) === "live" && states.includes("reconnecting restarting"), "it is mended");
  assert.equal(Peer.all.length, 1);
  const restart = asked.find((r) => r.headers["if-match"] === "*");
  assert.match(restart?.body ?? "", /a=ice-ufrag:anew/);
  assert.match(peer?.answers[1] ?? "", /a=ice-ufrag:srv2/);
  await until(() => asked.some((r) => r.headers["if-match"] === '"tag-2"'), "new candidates go to the new ICE session");
});

test("when a restart is refused, and when the session moves, it connects anew", async (t) => {
  const asked = network(t, (request) =>
    request.method === "PATCH" && request.headers["if-match"] === "*" ? { status: 404 } : well(request),
  );
  const { states } = await connected(t);
  Peer.all[0]?.turn("failed");
  await until(() => Peer.all.length === 2 && states.at(-1) === "live", "a new connection");
  assert.deepEqual(states.slice(4), [
    "reconnecting restarting",
    "reconnecting asking",
    "reconnecting finding",
    "reconnecting waiting",
    "live",
  ]);
  await until(() => asked.some((r) => r.method === "DELETE"), "the old viewer is freed");

  Socket.all[0]?.say({ type: "session.state_updated", state: "reconnecting" });
  await until(() => Peer.all.length === 3 && states.at(-1) === "live", "another new connection");
  assert.equal(Socket.all.length, 1, "the audio socket stays");
});

/** @param {number} fence @param {string} state */
const session = (fence, state = "live") => ({ fence, state, end: null });

test("a session that moves is followed before what is shown is let go of", async (t) => {
  const asked = network(t, well);
  const { face, states } = await connected(t);
  const [events] = Events.all;
  assert.equal(events?.url, "http://farm.test/v1/sessions/ses_1/events?token=mps_x");
  events?.say(session(1));
  events?.say(session(1));
  assert.equal(Peer.all.length, 1, "nothing has changed");
  Peer.frames = 0;
  if (Peer.all[0]) Peer.all[0].frames = 500;
  events?.say(session(2));
  await until(() => Peer.all[1]?.connectionState === "connected", "a second connection is made");
  assert.equal(Peer.all[0]?.connectionState, "connected", "the first one is shown until the second has a picture");
  if (Peer.all[1]) Peer.all[1].frames = 1;
  await until(() => Peer.all[0]?.connectionState === "closed", "then it is let go of");
  await until(() => asked.some((r) => r.method === "DELETE"), "which is said");
  events?.say(session(2));
  assert.deepEqual(states, STEPS, "nobody sees anything of it");
  assert.equal(Peer.all.length, 2, "once");
  // The second one is looked after like the first.
  Peer.frames = 1;
  Peer.all[1]?.sayGoodbye();
  await until(() => Peer.all.length === 3 && states.at(-1) === "live", "a third connection");
  await face.close();
  assert.ok(events?.closed);
});

test("a session whose worker is lost is waited for, and shown again", async (t) => {
  let away = false;
  network(t, (request) =>
    request.method === "POST" && away ? { status: 503, headers: { "retry-after": "1" } } : well(request),
  );
  const { states } = await connected(t);
  Events.all[0]?.say(session(1));
  away = true;
  Socket.all[0]?.say({ type: "session.state_updated", state: "reconnecting" });
  await until(() => states.at(-1) === "reconnecting asking", "a picture that stands still is told");
  away = false;
  await until(() => states.at(-1) === "live", "it is back");
  assert.equal(Peer.all.filter((peer) => peer.connectionState !== "closed").length, 1);
});

test("events tell of the session's end", async (t) => {
  network(t, well);
  const { face } = await connected(t);
  Events.all[0]?.say({ ...session(1, "ended"), end: { reason: "cancelled" } });
  assert.deepEqual([face.state.phase, face.state.detail], ["closed", "cancelled"]);
});

test("what cannot be mended in time has failed", async (t) => {
  let away = false;
  network(t, (request) => (away ? { status: 0 } : well(request)));
  /** @type {LiveError[]} */
  const errors = [];
  const { states } = await connected(t, { giveUpMs: 100, onerror: (e) => errors.push(e) });
  away = true;
  Peer.all[0]?.turn("failed");
  await until(() => states.at(-1) === "failed", "it gives up");
  assert.deepEqual(
    errors.map((e) => [e.step, e.fatal]),
    [["signalling", true]],
  );
});

test("the session's end is the end", async (t) => {
  network(t, well);
  /** @type {(string|null)[]} */
  const details = [];
  const { face } = await connected(t, { onstate: ({ detail }) => details.push(detail) });
  await until(() => Socket.all[0]?.readyState === 1, "the socket opens");
  Socket.all[0]?.say({ type: "session.state_updated", state: "ended", reason: "idle_timeout" });
  assert.equal(face.state.phase, "closed");
  assert.equal(details.at(-1), "idle_timeout");
});

test("speech goes out in order, in pieces, no farther ahead than it may", async (t) => {
  network(t, well);
  /** @type {unknown[]} */
  const heard = [];
  const { face } = await connected(t, { onspeech: (s) => heard.push(s), onmood: (m) => heard.push(m) });
  const sent = () => Socket.all[0]?.sent ?? [];
  const began = performance.now();
  await face.speak(new Float32Array(12_000), { sampleRate: 24_000, eventId: "a" });
  face.speakEnd({ eventId: "a" });
  face.keepAlive();
  assert.deepEqual(
    sent().map((m) => [m.type, m.event_id]),
    [
      ["agent.speak", "a"],
      ["agent.speak", "a"],
      ["agent.speak", "a"],
      ["agent.speak_end", "a"],
      ["session.keep_alive", undefined],
    ],
  );
  assert.equal(sent()[0].sample_rate, 24_000);
  assert.equal(Buffer.from(sent()[0].audio, "base64").length, 9_600);
  await assert.rejects(face.speak(new Int16Array(10), { sampleRate: 96_000 }), /8000 to 48000/);
  await assert.rejects(face.speak(new Int16Array(10), { sampleRate: 22_050.5 }), /whole number/);

  await face.speak(new Int16Array(2_205), { sampleRate: 11_025, eventId: "odd" });
  assert.equal(sent().at(-1).sample_rate, 11_025);

  const long = face.speak(new Int16Array(16_000 * 60), { sampleRate: 16_000, eventId: "b" });
  const spoken = sent().filter((m) => m.event_id === "b").length;
  // On a slow machine some have been said meanwhile.
  const said = Math.ceil((performance.now() - began) / 200);
  assert.ok(spoken >= 16 && spoken <= 20 + said, `${spoken} pieces of 200 ms are ahead, after ${said} at most were said`);
  face.interrupt();
  await long;
  assert.equal(sent().at(-1).type, "agent.interrupt");
  assert.ok(sent().filter((m) => m.event_id === "b").length <= spoken + 1, "what waited is forgotten");

  const socket = Socket.all[0];
  socket?.say({ type: "agent.speak_started", event_id: "a" });
  socket?.say({ type: "agent.state_updated", state: "talking" });
  socket?.say({ type: "agent.speak_ended", event_id: "a", played_ms: 500 });
  socket?.say({ type: "agent.speak_interrupted", played_ms: 7 });
  // The answer to an interruption that had nothing to interrupt is no utterance's.
  const asked = sent().find((m) => m.type === "agent.interrupt");
  socket?.say({ type: "agent.speak_interrupted", event_id: asked.event_id, played_ms: 0 });
  socket?.say({ type: "session.state_updated", state: "live", event_id: "kept" });
  socket?.onmessage?.({ data: "{" });
  assert.deepEqual(heard, [
    { what: "started", eventId: "a", playedMs: null },
    "talking",
    { what: "ended", eventId: "a", playedMs: 500 },
    { what: "interrupted", eventId: null, playedMs: 7 },
  ]);
});

test("speech that was not taken is sent again, in its order", async (t) => {
  network(t, well);
  /** @type {LiveError[]} */
  const errors = [];
  const { face } = await connected(t, { onerror: (e) => errors.push(e) });
  const socket = /** @type {Socket} */ (Socket.all[0]);
  await until(() => socket.readyState === 1, "the socket opens");
  await face.speak(
    Int16Array.from({ length: 4 * 3_200 }, (_, i) => Math.floor(i / 3_200)),
    { sampleRate: 16_000 },
  );
  const first = socket.sent.map((m) => m.audio);
  assert.equal(first.length, 4);
  for (let i = 0; i < 2; i += 1) socket.say({ type: "error", code: "no_room", message: "full", retry_after_ms: 60 });
  assert.equal(socket.sent.length, 4);
  await until(() => socket.sent.length === 6, "the two that were refused come again");
  assert.deepEqual(
    socket.sent.slice(4).map((m) => m.audio),
    first.slice(2),
  );
  assert.equal(errors.length, 0);
  socket.say({ type: "error", code: "invalid_field", message: "audio is empty" });
  assert.deepEqual(
    errors.map((e) => e.sentence),
    ["Audio is empty."],
  );
});

test("a socket that broke is opened anew, and what waited is said", async (t) => {
  network(t, well);
  /** @type {LiveError[]} */
  const errors = [];
  const { face } = await connected(t, { onerror: (e) => errors.push(e) });
  await until(() => Socket.all[0]?.readyState === 1, "the socket opens");
  Socket.all[0]?.close(1001);
  void face.speak(new Int16Array(100), { sampleRate: 24_000 });
  await until(() => Socket.all[1]?.sent.length === 1, "it is said over the new one");
  Socket.all[1]?.close(1008, "the token expired");
  assert.match(errors[0]?.sentence ?? "", /token expired/);
});

test("pushed sound goes straight to the worker where the session's answer names it, and follows the session", async (t) => {
  const asked = network(t, (request, n) => {
    if (request.method !== "GET") return well(request);
    return { body: JSON.stringify({ live: { direct_audio_url: `wss://w${n}.test/audio?ticket=T${n}` } }) };
  });
  /** @type {LiveError[]} */
  const errors = [];
  const { face } = await connected(t, { direct: true, onerror: (e) => errors.push(e) });
  await until(() => Socket.all[0]?.readyState === 1, "the socket opens");
  const first = /** @type {Socket} */ (Socket.all[0]);
  assert.equal(first.url, "wss://w1.test/audio?ticket=T1");
  for (let n = 0; n < 3; n += 1) await face.speak(new Int16Array(100).fill(n));
  first.say({ type: "session.position", position: "1-7" });
  first.say({ type: "session.reconnect", messages_taken: 1 });
  first.close(1012);
  await until(() => Socket.all[1]?.sent.length === 2, "what was not taken is sent on");
  const second = /** @type {Socket} */ (Socket.all[1]);
  assert.equal(second.url, "wss://w2.test/audio?ticket=T2&after=1-7");
  assert.deepEqual(
    second.sent.map((m) => m.audio),
    first.sent.slice(1).map((m) => m.audio),
  );
  assert.equal(errors.length, 0);
  // It dies with what it was to say; the next worker cannot be reached.
  Socket.reaches = false;
  second.close(1006);
  assert.match(errors[0]?.sentence ?? "", /had not said is lost/);
  await until(() => Socket.all[2]?.readyState === 3, "the next is tried");
  Socket.reaches = true;
  await until(() => Socket.all[3]?.readyState === 1, "the server is there");
  assert.equal(Socket.all[3]?.url, "ws://farm.test/v1/sessions/ses_1/audio?token=mps_x&after=1-7");
  assert.equal(asked.filter((r) => r.method === "GET" && r.path === "/v1/sessions/ses_1").length, 3);
});

test("a microphone is sent from the beginning, or later", async (t) => {
  network(t, well);
  const { face } = await connected(t, { microphone: "later" });
  const sender = Peer.all[0]?.transceivers[0];
  assert.deepEqual([sender?.direction, sender?.sender.track], ["sendrecv", null]);
  const track = { kind: "audio", stop() {} };
  const stream = new MediaStream();
  /** @type {any} */ (stream).tracks.push(track);
  await face.setMicrophone(stream);
  assert.equal(sender?.sender.track, track);
  Peer.all[0]?.sayGoodbye();
  await until(() => Peer.all.length === 2 && face.state.phase === "live", "it connects again");
  assert.equal(Peer.all[1]?.transceivers[0]?.kind, track, "the microphone comes along");
  const { face: deaf } = await connected(t);
  await assert.rejects(deaf.setMicrophone(null), /later/);
});

test("giving up while connecting frees everything", async (t) => {
  network(t, (request) =>
    request.method === "POST" ? { status: 409, headers: { "retry-after": "30" } } : well(request),
  );
  const giveUp = new AbortController();
  const waiting = connected(t, { signal: giveUp.signal });
  await until(() => Peer.all.length === 1, "it asks");
  giveUp.abort();
  await assert.rejects(waiting);
  assert.equal(Peer.all[0]?.connectionState, "closed");
});
