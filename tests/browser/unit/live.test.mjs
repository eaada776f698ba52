/** The client library's pure parts. */
import assert from "node:assert/strict";
import test from "node:test";
import {
  Lead,
  base64,
  candidatesOf,
  iceServersOf,
  nextState,
  noMicrophone,
  noPath,
  pcm16,
  pieces,
  readStats,
  refusal,
  retryAfterMs,
  sdpFragment,
  waitBefore,
  withFragment,
} from "../../../coordinator/src/web/live/mouthpiece.js";
import { ANSWER, OFFER } from "./sdp.mjs";

test("a connection goes through its steps, is mended, and ends once", () => {
  const start = { phase: /** @type {const} */ ("connecting"), step: null };
  /** @param {Parameters<typeof nextState>[1][]} events */
  const after = (...events) => {
    const { phase, step } = events.reduce(nextState, /** @type {Parameters<typeof nextState>[0]} */ (start));
    return step === null ? phase : `${phase} ${step}`;
  };
  assert.equal(after("ask"), "connecting asking");
  assert.equal(after("ask", "answered"), "connecting finding");
  assert.equal(after("ask", "answered", "connected"), "connecting waiting");
  assert.equal(after("ask", "answered", "connected", "frame"), "live");
  assert.equal(after("ask", "ask"), "connecting asking", "a first try that fails is still the first connection");
  const live = /** @type {const} */ (["ask", "answered", "connected", "frame"]);
  assert.equal(after(...live, "shaky"), "reconnecting restarting");
  assert.equal(after(...live, "shaky", "connected"), "live", "a mended path shows its picture at once");
  assert.equal(after(...live, "shaky", "ask", "answered", "connected"), "reconnecting waiting");
  assert.equal(after(...live, "ask", "answered", "connected", "frame"), "live");
  assert.equal(after("shaky"), "connecting", "nothing is mended that never stood");
  for (const end of /** @type {const} */ (["close", "fail"])) {
    const phase = end === "close" ? "closed" : "failed";
    assert.equal(after(...live, end, "ask", "frame", "close", "fail"), phase);
  }
});

test("waits double, are bounded, and are spread", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 60].map((n) => waitBefore(n, 0.5)),
    [250, 500, 1000, 2000, 4000, 5000, 5000],
  );
  assert.equal(waitBefore(1, 0), 188);
  assert.equal(waitBefore(99, 1), 6250);
});

test("Retry-After is seconds or a date", () => {
  const now = Date.parse("2026-11-25T16:00:00Z");
  assert.equal(retryAfterMs("1", now), 1000);
  assert.equal(retryAfterMs(" 0 ", now), 0);
  assert.equal(retryAfterMs("Wed, 25 Nov 2026 16:00:07 GMT", now), 7000);
  assert.equal(retryAfterMs("Wed, 25 Nov 2026 15:00:07 GMT", now), 0);
  assert.equal(retryAfterMs("86400", now), 60_000, "bounded");
  for (const none of [null, "", "soon"]) assert.equal(retryAfterMs(none, now), null);
});

test("ICE servers are read from Link headers", () => {
  assert.deepEqual(iceServersOf(null), []);
  assert.deepEqual(
    iceServersOf(
      '<stun:stun.example.net>; rel="ice-server", ' +
        '<turn:turn.example.net?transport=udp>; rel="ice-server"; username="1800:a,b"; credential="p;q\\"r"; credential-type="password", ' +
        "<turns:x.example>;rel=ice-server;username=u;credential=c," +
        '<https://example.net/style.css>; rel="stylesheet", <https://no>; rel="ice-server"',
    ),
    [
      { urls: "stun:stun.example.net" },
      { urls: "turn:turn.example.net?transport=udp", username: "1800:a,b", credential: 'p;q"r' },
      { urls: "turns:x.example", username: "u", credential: "c" },
    ],
  );
  for (const broken of ["<", "<stun:a", "<>;rel=ice-server", ";;;", '<stun:a>; rel="', "<stun:a>;;=;,"])
    assert.deepEqual(iceServersOf(broken), [], broken);
});

const CANDIDATE = "candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1";

test("candidates are told as a fragment of their ICE session", () => {
  const told = sdpFragment(OFFER, [{ candidate: CANDIDATE, sdpMid: "0" }], { end: true });
  assert.equal(
    told,
    [
      "a=group:BUNDLE 0 1",
      "m=audio 9 UDP/TLS/RTP/SAVPF 111",
      "a=mid:0",
      "a=ice-ufrag:EsAw",
      "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
      `a=${CANDIDATE}`,
      "a=end-of-candidates",
      "",
    ].join("\r\n"),
  );
  const restart = sdpFragment(OFFER, [], { restart: true });
  assert.match(restart, /^a=ice-options:trickle ice2\r\na=group/);
  assert.doesNotMatch(restart, /candidate/);
  const [both] = [
    sdpFragment(OFFER, [
      { candidate: CANDIDATE, sdpMid: "1" },
      { candidate: CANDIDATE, sdpMid: null },
    ]),
  ];
  assert.equal(both.match(/^m=/gm)?.length, 2, "a candidate stays with its part");
  const alone = sdpFragment(OFFER.replace("a=group:BUNDLE 0 1\r\n", ""), [{ candidate: CANDIDATE, sdpMid: null }]);
  assert.match(alone, /^m=audio[^]*a=candidate/);
});

test("a restart's fragment makes the answer anew", () => {
  const fragment =
    "a=ice-ufrag:new1\r\na=ice-pwd:newpassword\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n" +
    "a=candidate:9 1 udp 1 198.51.100.4 5000 typ host\r\na=end-of-candidates\r\n";
  const sdp = withFragment(ANSWER, fragment);
  assert.deepEqual(sdp.match(/a=ice-ufrag:.*/g), ["a=ice-ufrag:new1", "a=ice-ufrag:new1"]);
  assert.deepEqual(sdp.match(/a=ice-pwd:.*/g), ["a=ice-pwd:newpassword", "a=ice-pwd:newpassword"]);
  assert.deepEqual(candidatesOf(sdp), [{ host: "198.51.100.4", port: 5000, protocol: "udp" }]);
  assert.ok(sdp.indexOf("a=candidate") < sdp.indexOf("m=video"), "in the first part");
  assert.equal(sdp.split("\r\n").at(-1), "", "it ends as lines end");
  assert.equal(withFragment(ANSWER, "").includes("a=ice-ufrag:srv1"), true, "what is not told stays");
  const one = ANSWER.slice(0, ANSWER.indexOf("m=video"));
  assert.match(withFragment(one, fragment), /a=end-of-candidates\r\n$/);
});

test("sound becomes PCM in pieces of 200 ms", () => {
  assert.deepEqual(
    [...pcm16(new Float32Array([0, 1, -1, 2, -2, 0.5, Number.NaN]))],
    [0, 32767, -32767, 32767, -32767, 16384, 0],
  );
  const own = new Int16Array([1, 2]);
  assert.equal(pcm16(own), own);
  const all = pieces(new Int16Array(10_000), 24_000);
  assert.deepEqual(
    all.map((p) => p.length),
    [4800, 4800, 400],
  );
  assert.deepEqual(pieces(new Int16Array(0), 24_000), []);
  assert.equal(base64(new Int16Array([1, -2])), "AQD+/w==");
  const long = Int16Array.from({ length: 9_600 }, (_, i) => i * 3 - 14_000);
  const bytes = Buffer.from(base64(long), "base64");
  assert.deepEqual(
    [...long],
    Array.from({ length: 9_600 }, (_, i) => bytes.readInt16LE(i * 2)),
  );
});

test("sound is sent so far ahead and no farther", () => {
  const lead = new Lead(1000);
  let now = 0;
  for (let i = 0; i < 5; i += 1) {
    assert.equal(lead.wait(200, now), 0, `piece ${i}`);
    lead.sent(200, now);
  }
  assert.equal(lead.wait(200, now), 200);
  now = 200;
  assert.equal(lead.wait(200, now), 0);
  now = 10_000;
  assert.equal(lead.wait(200, now), 0, "long silence is no credit");
  for (let i = 0; i < 5; i += 1) lead.sent(200, now);
  assert.equal(lead.wait(200, now), 200);
  lead.told(2500, 1000, now);
  assert.equal(lead.wait(200, now), 2200, "the server knows better: 2500 wait, half of its 1000 may");
  lead.cleared();
  assert.equal(lead.wait(200, now), 0);
  lead.refused(300, now);
  assert.equal(lead.wait(200, now), 300);
  assert.equal(lead.wait(200, now + 300), 0);
});

test("statistics are read, and rates are of the time between", () => {
  const report = (/** @type {number} */ at, /** @type {number} */ video) => [
    {
      type: "inbound-rtp",
      kind: "video",
      timestamp: at,
      bytesReceived: video,
      framesDecoded: 50,
      framesDropped: 1,
      framesPerSecond: 25,
      frameWidth: 512,
      frameHeight: 512,
      jitter: 0.004,
      packetsLost: 2,
      estimatedPlayoutTimestamp: 5012,
    },
    {
      type: "inbound-rtp",
      kind: "audio",
      timestamp: at,
      bytesReceived: video / 10,
      jitter: 0.002,
      packetsLost: 1,
      estimatedPlayoutTimestamp: 5000,
    },
    { type: "transport", selectedCandidatePairId: "P" },
    { type: "candidate-pair", id: "O", nominated: true, currentRoundTripTime: 9 },
    { type: "candidate-pair", id: "P", currentRoundTripTime: 0.021, remoteCandidateId: "R", localCandidateId: "L" },
    { type: "remote-candidate", id: "R", protocol: "udp", address: "192.0.2.7", port: 4000 },
    { type: "local-candidate", id: "L", candidateType: "relay" },
  ];
  const first = readStats(report(1000, 10_000), null);
  assert.equal(first.stats.videoKbps, null, "nothing to compare with");
  const { stats } = readStats(report(2000, 110_000), first.received);
  assert.deepEqual(stats, {
    fps: 25,
    framesDecoded: 50,
    framesDropped: 1,
    size: [512, 512],
    videoKbps: 800,
    audioKbps: 80,
    rttMs: 21,
    jitterMs: { audio: 2, video: 4 },
    packetsLost: 3,
    playout: { audioMs: 5000, videoMs: 5012, skewMs: 12 },
    path: "udp 192.0.2.7:4000 by relay",
  });
  const none = readStats([], null).stats;
  assert.deepEqual([none.fps, none.size, none.rttMs, none.playout, none.path], [null, null, null, null, null]);
});

test("no path names what to open, or what is wrong with the relay", () => {
  const worker = candidatesOf(ANSWER);
  assert.deepEqual(worker, [{ host: "203.0.113.7", port: 40000, protocol: "udp" }]);
  const seen = { relayed: false, complaints: [] };
  const direct = noPath(worker, [], seen);
  assert.equal(direct.step, "ice");
  assert.match(direct.sentence, /no UDP path to the worker.*203\.0\.113\.7:40000/);
  assert.match(direct.remedy, /Open UDP port 40000 of 203\.0\.113\.7.*TURN server/);
  const turn = [{ urls: ["stun:s", "turn:t.example"], username: "u", credential: "c" }];
  const silent = noPath(worker, turn, { relayed: false, complaints: ["turn:t.example: Unauthorized (401)"] });
  assert.match(silent.remedy, /TURN server turn:t\.example gave no address \(.*Unauthorized/);
  assert.match(noPath(worker, turn, { ...seen, relayed: true }).remedy, /does not reach the worker/);
  assert.match(noPath([], [], seen).sentence, /names no address/);
  assert.match(noPath([{ host: "fd00::2", port: 7 }], [], seen).sentence, /\[fd00::2\]:7/);
});

test("a refused request has a sentence, a remedy and the request id", () => {
  const headers = (/** @type {Record<string, string>} */ h = {}) => new Headers({ "x-request-id": "req-9", ...h });
  const body = JSON.stringify({ detail: "the session is requested, number 2 in the queue", request_id: "req-1" });
  const wait = refusal(409, body, headers({ "retry-after": "1" }), 0);
  assert.deepEqual(
    [wait.step, wait.status, wait.requestId, wait.retryMs, wait.passing],
    ["signalling", 409, "req-1", 1000, true],
  );
  assert.equal(wait.sentence, "The session is requested, number 2 in the queue.");
  assert.match(wait.remedy, /in 1 s/);
  const over = refusal(409, body, headers(), 0);
  assert.equal(over.passing, false);
  assert.match(over.remedy, /new session/);
  for (const [status, remedy] of /** @type {const} */ ([
    [401, /token/],
    [403, /token/],
    [404, /session/],
    [406, /H\.264/],
    [503, /little while/],
    [400, /request id/],
  ]))
    assert.match(refusal(status, "<html>", headers(), 0).remedy, remedy, String(status));
  assert.equal(refusal(502, "null", headers(), 0).requestId, "req-9");
  assert.match(refusal(502, "null", headers(), 0).sentence, /502/);
});

test("a microphone that is not there is told in words", () => {
  for (const [name, words] of /** @type {const} */ ([
    ["NotAllowedError", /not allowed/],
    ["NotFoundError", /no microphone/],
    ["NotReadableError", /cannot be opened/],
    ["TypeError", /may not use/],
  ])) {
    const told = noMicrophone(Object.assign(new Error(), { name }));
    assert.match(told.sentence, words);
    assert.ok(told.remedy.length > 20 && told.step === "microphone");
  }
});
