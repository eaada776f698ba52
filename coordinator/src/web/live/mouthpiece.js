/**
 * Mouthpiece live, for any web page: watch a face, and speak through it.
 *
 * One module without imports. Copy it, or import it from a server: `https://farm.example/assets/live/mouthpiece.js`.
 * A program of yours makes the session with its API key (`POST /v1/sessions {"kind": "live", "avatar_id": "avt_..."}`)
 * and hands the page what the answer's `live` holds; the page never sees the API key.
 *
 *     import { MouthpieceLive } from "./mouthpiece.js";
 *
 *     const face = await MouthpieceLive.connect({
 *       baseUrl: "https://farm.example", sessionId: session.id, token: session.live.token,
 *       iceServers: session.live.ice_servers,
 *       video: document.querySelector("video"),
 *       microphone: true,                              // the face says what is spoken here; or push sound, below
 *       onstate: (state) => console.log(state.phase, state.step, state.detail),
 *       onerror: (error) => console.log(error.sentence, error.remedy),
 *     });
 *     await face.speak(samples, { sampleRate: 24000, eventId: "hello" });   // as fast as it comes; waits when too fast
 *     face.speakEnd({ eventId: "hello" });
 *     face.interrupt();                                // silence at once
 *     await face.close();
 *
 * A connection that breaks is mended: first by an ICE restart, then by a new connection, also to another worker when the
 * session was placed there again. `onstate` says so, and nothing else has to be done. When a session is moved because its worker
 * is about to leave, the new connection is made first, and what is shown changes over to it: nothing is to be seen of that.
 * The session itself stays until its own limits end it; `DELETE /v1/sessions/{id}` with the API key ends it at once.
 *
 * Video is WebRTC by WHEP, straight from the worker. Sound is pushed over a WebSocket, or by WebRTC from a microphone.
 *
 * @typedef {"connecting"|"live"|"reconnecting"|"closed"|"failed"} LivePhase
 * @typedef {"asking"|"finding"|"waiting"|"restarting"|null} LiveStep what is under way: asking for the stream (and waiting
 *   for a slot), finding a path to the worker, waiting for the first frame, mending the path
 *
 * @typedef {object} LiveState
 * @property {LivePhase} phase
 * @property {LiveStep} step null unless connecting or reconnecting
 * @property {string|null} detail a sentence of the server: why it is waited for, or why the session ended
 *
 * @typedef {object} LiveOptions
 * @property {string} [baseUrl] where the server is, with the prefix that a proxy puts before it; the page's own host if not
 *   given
 * @property {string} sessionId
 * @property {string} token `live.token` of the session, good for this session only
 * @property {RTCIceServer[]} [iceServers] `live.ice_servers` of the session; asked for if not given
 * @property {HTMLVideoElement} [video] shows the face; see also `attach`
 * @property {boolean|MediaStream|"later"} [microphone] true asks the user for one; "later" makes `setMicrophone` possible
 * @property {boolean} [direct] pushed sound goes straight to the session's worker where its answer names an address for that, and
 *   through the server where not, or where that cannot be reached. What a worker that dies had not said is lost then
 * @property {AbortSignal} [signal] gives up while connecting
 * @property {number} [giveUpMs] a connection that could not be made or mended for so long has failed. If not given: 60,000 for the
 *   first one; after that it is tried until the session has ended
 * @property {(state: LiveState) => void} [onstate] told at each change
 * @property {(mood: LiveMood) => void} [onmood] what the face does
 * @property {(speech: LiveSpeech) => void} [onspeech] what became of pushed speech
 * @property {(stats: LiveStats) => void} [onstats] once a second while connected
 * @property {(error: LiveError) => void} [onerror] what went wrong; `error.fatal` says whether it is over
 *
 * @typedef {"idle"|"listening"|"talking"} LiveMood
 *
 * @typedef {object} LiveSpeech
 * @property {"started"|"ended"|"interrupted"} what each utterance starts once, then ends or is interrupted, once
 * @property {string|null} eventId
 * @property {number|null} playedMs how much of it was heard; null when it starts
 *
 * @typedef {object} LiveStats the last second, as this browser received it
 * @property {number|null} fps frames shown a second
 * @property {number} framesDecoded since the connection was made
 * @property {number} framesDropped since the connection was made
 * @property {[number, number]|null} size width and height of the video, pixels
 * @property {number|null} videoKbps
 * @property {number|null} audioKbps
 * @property {number|null} rttMs there and back
 * @property {{audio: number|null, video: number|null}} jitterMs
 * @property {number} packetsLost of both tracks
 * @property {{audioMs: number, videoMs: number, skewMs: number}|null} playout `estimatedPlayoutTimestamp` of both tracks,
 *   and how much the picture is ahead of the sound; null until both are known, and where the browser does not tell
 * @property {string|null} path such as "udp 192.0.2.7:40000", with "relay" if media go through a TURN server
 */

/** Samples a second that a session takes: the least and the most. */
export const RATES = /** @type {const} */ ([8_000, 48_000]);
/** Pushed sound leaves in pieces of this length, ms. */
export const PIECE_MS = 200;

/** Sound is pushed so far ahead of what is being said, ms: enough for a stalled network, little to forget. */
const LEAD_MS = 4_000;
/** Finding a path, or a first frame, that takes longer will not come, ms. */
const PATIENCE_MS = 10_000;
/** The audio socket that did not open so many times in a row is told of. */
const HARD = 5;
/** What an interruption is called, so that its answer is not taken for an utterance's. */
const INTERRUPTION = "mouthpiece.js:interrupt";
/** The first connection is given up after this, ms. */
const FIRST_MS = 60_000;
/** So often it is tried to follow a session that was moved, while what was shown goes on. */
const FOLLOWS = 10;
/** A path that is interrupted often comes back by itself within this, ms. */
const GRACE_MS = 700;

// ---------------------------------------------------------------------------------------------- pure parts

/**
 * Where a connection goes from a state. "closed" and "failed" are final.
 *
 * @param {{phase: LivePhase, step: LiveStep}} state
 * @param {"ask"|"answered"|"connected"|"frame"|"shaky"|"close"|"fail"} event
 * @returns {{phase: LivePhase, step: LiveStep}}
 */
export function nextState({ phase, step }, event) {
  if (phase === "closed" || phase === "failed") return { phase, step: null };
  const again = phase === "connecting" ? "connecting" : "reconnecting";
  switch (event) {
    case "ask":
      return { phase: again, step: "asking" };
    case "answered":
      return { phase: again, step: "finding" };
    case "connected":
      // After a restart the picture goes on by itself.
      return step === "restarting" ? { phase: "live", step: null } : { phase: again, step: "waiting" };
    case "frame":
      return { phase: "live", step: null };
    case "shaky":
      return phase === "live" ? { phase: "reconnecting", step: "restarting" } : { phase, step };
    case "close":
      return { phase: "closed", step: null };
    case "fail":
      return { phase: "failed", step: null };
  }
}

/**
 * The wait before try number `tries` (from 1): doubles from 250 ms to 5 s, spread so that many do not come at once.
 *
 * @param {number} tries
 * @param {number} [random] 0..1
 * @returns {number} ms
 */
export function waitBefore(tries, random = Math.random()) {
  return Math.round(Math.min(5_000, 250 * 2 ** Math.max(0, tries - 1)) * (0.75 + random / 2));
}

/**
 * Reads a `Retry-After` header: seconds, or a date.
 *
 * @param {string|null} header
 * @param {number} now ms since 1970
 * @returns {number|null} ms, at most a minute; null if there is none
 */
export function retryAfterMs(header, now) {
  if (header === null || header.trim() === "") return null;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.min(60_000, Math.max(0, ms)) : null;
}

/**
 * The ICE servers that a `Link` header names (`<turn:...>; rel="ice-server"; username="..."; credential="..."`).
 *
 * @param {string|null} header several are joined by commas, as `Headers.get` does
 * @returns {RTCIceServer[]}
 */
export function iceServersOf(header) {
  /** @type {RTCIceServer[]} */
  const servers = [];
  const parameter = /;\s*([^\s=;,"]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?/g;
  for (const [, urls = "", rest = ""] of (header ?? "").matchAll(/<([^>]*)>((?:"(?:[^"\\]|\\.)*"|[^",])*)/g)) {
    /** @type {Record<string, string>} */
    const told = {};
    for (const [, name = "", quoted, plain] of rest.matchAll(parameter)) {
      told[name.toLowerCase()] ??= quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "";
    }
    if (!(told.rel ?? "").toLowerCase().split(/\s+/).includes("ice-server") || !/^(stun|turn)s?:/i.test(urls)) continue;
    const { username, credential } = told;
    servers.push(username === undefined ? { urls } : { urls, username, credential: credential ?? "" });
  }
  return servers;
}

/**
 * Candidates as a `PATCH` tells them (RFC 8840), for the ICE session that `sdp` describes.
 *
 * @param {string} sdp the local description
 * @param {{candidate: string, sdpMid: string|null}[]} candidates
 * @param {{end?: boolean, restart?: boolean}} [more] `end`: there will be no more; `restart`: ICE begins anew
 * @returns {string}
 */
export function sdpFragment(sdp, candidates, { end = false, restart = false } = {}) {
  const [session = "", ...media] = sdp.split(/\r?\n(?=m=)/);
  const lines = (/** @type {string} */ text) => text.split(/\r?\n/);
  const find = (/** @type {string} */ text, /** @type {string} */ start) =>
    lines(text).find((l) => l.startsWith(start));
  const bundle = find(session, "a=group:BUNDLE");
  const first = bundle?.split(" ")[1];
  const out = restart ? ["a=ice-options:trickle ice2"] : [];
  if (bundle) out.push(bundle);
  for (const part of media) {
    const mid = find(part, "a=mid:")?.slice("a=mid:".length) ?? "";
    // In a bundle all goes the way of its first part.
    const leads = first === undefined ? part === media[0] : mid === first;
    const own = candidates.filter((c) => c.candidate !== "" && (c.sdpMid === mid || (leads && c.sdpMid === null)));
    if (!leads && own.length === 0) continue;
    out.push(lines(part)[0] ?? "", `a=mid:${mid}`);
    for (const name of ["a=ice-ufrag:", "a=ice-pwd:"]) out.push(find(part, name) ?? find(session, name) ?? name);
    out.push(...own.map((c) => `a=${c.candidate.replace(/^a=/, "")}`));
    if (end) out.push("a=end-of-candidates");
  }
  return `${out.join("\r\n")}\r\n`;
}

/**
 * An answer with the ICE session that the worker began at a restart.
 *
 * @param {string} answer SDP
 * @param {string} fragment what the `PATCH` was answered with
 * @returns {string} SDP
 */
export function withFragment(answer, fragment) {
  const told = fragment.split(/\r?\n/);
  const value = (/** @type {string} */ name) => told.find((line) => line.startsWith(name));
  const fresh = told.filter((line) => line.startsWith("a=candidate:") || line === "a=end-of-candidates");
  const out = [];
  let media = 0;
  for (const line of answer.split(/\r?\n/)) {
    if (line.startsWith("a=candidate:") || line === "a=end-of-candidates") continue;
    if (line.startsWith("m=")) {
      if (media === 1) out.push(...fresh);
      media += 1;
    }
    const name = ["a=ice-ufrag:", "a=ice-pwd:"].find((n) => line.startsWith(n));
    out.push(name === undefined ? line : (value(name) ?? line));
  }
  // An SDP ends with an empty piece after its last line.
  if (media <= 1) out.splice(out.at(-1) === "" ? -1 : out.length, 0, ...fresh);
  return out.join("\r\n");
}

/**
 * Where an answer says that the worker can be reached.
 *
 * @param {string} sdp
 * @returns {{host: string, port: number, protocol: string}[]} each once
 */
export function candidatesOf(sdp) {
  const found = [...sdp.matchAll(/^a=candidate:\S+ \d+ (\S+) \d+ (\S+) (\d+) typ/gm)];
  const all = found.map(([, protocol = "", host = "", port = ""]) => ({
    host,
    port: Number(port),
    protocol: protocol.toLowerCase(),
  }));
  return all.filter((a, i) => all.findIndex((b) => b.host === a.host && b.port === a.port) === i);
}

/**
 * Sound as a session takes it. What is no number is silence.
 *
 * @param {Float32Array|Int16Array} samples -1..1, or 16 bits
 * @returns {Int16Array}
 */
export function pcm16(samples) {
  if (samples instanceof Int16Array) return samples;
  return Int16Array.from(samples, (s) => Math.round(Math.min(1, Math.max(-1, s || 0)) * 32_767));
}

/**
 * @param {Int16Array} samples
 * @param {number} rate samples a second
 * @param {number} [ms] the longest piece
 * @returns {Int16Array[]} views of `samples`, in order
 */
export function pieces(samples, rate, ms = PIECE_MS) {
  const length = Math.max(1, Math.floor((rate * ms) / 1000));
  return Array.from({ length: Math.ceil(samples.length / length) }, (_, i) =>
    samples.subarray(i * length, (i + 1) * length),
  );
}

/**
 * @param {Int16Array} samples
 * @returns {string} base64 of them, little endian
 */
export function base64(samples) {
  const bytes = new Uint8Array(samples.length * 2);
  const view = new DataView(bytes.buffer);
  samples.forEach((s, i) => view.setInt16(i * 2, s, true));
  let text = "";
  for (let i = 0; i < bytes.length; i += 8_192) text += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  return btoa(text);
}

/** How far ahead of the voice sound may be sent: an estimate that the server's reports correct. Times are ms. */
export class Lead {
  constructor(most = LEAD_MS) {
    this.most = most;
    /** When all that was sent will have been said. */
    this.until = Number.NEGATIVE_INFINITY;
    /** Nothing is sent before. */
    this.closed = Number.NEGATIVE_INFINITY;
  }

  /** @param {number} ms @param {number} now @returns {number} the wait before a piece of this length may be sent; 0 for none */
  wait(ms, now) {
    return Math.max(0, this.closed - now, this.until - now + ms - this.most);
  }

  /** @param {number} ms @param {number} now a piece was sent */
  sent(ms, now) {
    this.until = Math.max(this.until, now) + ms;
  }

  /** @param {number} buffered @param {number} limit @param {number} now the server tells how much waits there */
  told(buffered, limit, now) {
    this.most = Math.max(PIECE_MS, Math.min(LEAD_MS, limit / 2));
    this.until = Math.max(this.until, now + buffered);
  }

  /** @param {number} ms @param {number} now a piece was not taken; there is room in `ms` */
  refused(ms, now) {
    this.closed = now + Math.max(50, ms);
  }

  /** What waited is forgotten. */
  cleared() {
    this.until = Number.NEGATIVE_INFINITY;
    this.closed = Number.NEGATIVE_INFINITY;
  }
}

/**
 * @typedef {{at: number, video: number, audio: number}} Received bytes until `at`, ms
 *
 * @param {Iterable<any>} reports the values of an `RTCStatsReport`
 * @param {Received|null} before what this returned the last time
 * @returns {{stats: LiveStats, received: Received}}
 */
export function readStats(reports, before) {
  const all = [...reports];
  const inbound = (/** @type {string} */ kind) => all.find((r) => r.type === "inbound-rtp" && r.kind === kind);
  const video = inbound("video");
  const audio = inbound("audio");
  const transport = all.find((r) => r.type === "transport");
  const pair = all.find(
    (r) => r.type === "candidate-pair" && (transport ? r.id === transport.selectedCandidatePairId : r.nominated),
  );
  const remote = all.find((r) => r.id === pair?.remoteCandidateId);
  const local = all.find((r) => r.id === pair?.localCandidateId);
  const ms = (/** @type {number|undefined} */ s) => (s === undefined ? null : s * 1000);
  const received = {
    at: video?.timestamp ?? audio?.timestamp ?? 0,
    video: video?.bytesReceived ?? 0,
    audio: audio?.bytesReceived ?? 0,
  };
  const kbps = (/** @type {"video"|"audio"} */ kind) => {
    const bits = 8 * (received[kind] - (before?.[kind] ?? 0));
    return before === null || received.at <= before.at ? null : Math.max(0, bits / (received.at - before.at));
  };
  const [audioMs, videoMs] = [audio?.estimatedPlayoutTimestamp, video?.estimatedPlayoutTimestamp];
  const stats = {
    fps: video?.framesPerSecond ?? null,
    framesDecoded: video?.framesDecoded ?? 0,
    framesDropped: video?.framesDropped ?? 0,
    size: /** @type {[number, number]|null} */ (video?.frameWidth ? [video.frameWidth, video.frameHeight] : null),
    videoKbps: kbps("video"),
    audioKbps: kbps("audio"),
    rttMs: ms(pair?.currentRoundTripTime),
    jitterMs: { audio: ms(audio?.jitter), video: ms(video?.jitter) },
    packetsLost: (video?.packetsLost ?? 0) + (audio?.packetsLost ?? 0),
    playout: audioMs && videoMs ? { audioMs, videoMs, skewMs: videoMs - audioMs } : null,
    path: remote
      ? `${remote.protocol} ${remote.address ?? remote.ip}:${remote.port}${local?.candidateType === "relay" ? " by relay" : ""}`
      : null,
  };
  return { stats, received };
}

// ---------------------------------------------------------------------------------------------- failures

/**
 * Why a face is not seen or not heard: the step that failed, in words, and what can be done.
 *
 * @typedef {"microphone"|"signalling"|"ice"|"dtls"|"media"|"speech"} FailedStep
 */
export class LiveError extends Error {
  /**
   * @param {FailedStep} step
   * @param {string} sentence
   * @param {string} remedy
   * @param {{status?: number, requestId?: string|null, retryMs?: number|null, passing?: boolean}} [more]
   */
  constructor(step, sentence, remedy, more = {}) {
    super(`${sentence} ${remedy}`);
    this.name = "LiveError";
    this.step = step;
    this.sentence = sentence;
    this.remedy = remedy;
    /** HTTP status of a failed request; 0 if there was no answer, or no request. */
    this.status = more.status ?? 0;
    /** @type {string|null} what the server's log holds too */
    this.requestId = more.requestId ?? null;
    /** @type {number|null} the server asked to come back after this, ms */
    this.retryMs = more.retryMs ?? null;
    /** It may pass: trying again makes sense. */
    this.passing = more.passing ?? false;
    /** The face is gone, and will not come back by itself. */
    this.fatal = false;
  }
}

/**
 * A request that was answered with a failure.
 *
 * @param {number} status
 * @param {string} body a problem document (RFC 9457), or anything
 * @param {Headers} headers
 * @param {number} now ms since 1970
 * @returns {LiveError}
 */
export function refusal(status, body, headers, now) {
  let told = /** @type {Record<string, unknown>} */ ({});
  try {
    told = Object(JSON.parse(body));
  } catch {
    // A proxy's page, say: the status alone must do.
  }
  const detail = typeof told.detail === "string" && told.detail !== "" ? told.detail : `the server answered ${status}`;
  const retryMs = retryAfterMs(headers.get("retry-after"), now);
  const soon = retryMs === null ? "in a little while" : `in ${Math.ceil(retryMs / 1000)} s`;
  /** @type {Record<number, string>} */
  const remedies = {
    401: "Take a new token: GET the session with its API key.",
    403: "Use this session's own token, live.token.",
    404: "Make a new session.",
    406: "Use a browser that decodes H.264 and Opus.",
    409: retryMs === null ? "Make a new session." : `Try again ${soon}.`,
  };
  return new LiveError(
    "signalling",
    sentence(detail),
    remedies[status] ??
      (status >= 500 || status === 429 ? `Try again ${soon}.` : "Give the request id to whoever runs the farm."),
    {
      status,
      requestId: typeof told.request_id === "string" ? told.request_id : headers.get("x-request-id"),
      retryMs,
      passing: retryMs !== null || status >= 500 || status === 429,
    },
  );
}

/**
 * No path, in words.
 *
 * @param {{host: string, port: number}[]} worker where the answer says it is
 * @param {RTCIceServer[]} servers
 * @param {{relayed: boolean, complaints: string[]}} seen whether a TURN server gave an address, and what ICE servers said
 * @returns {LiveError}
 */
export function noPath(worker, servers, { relayed, complaints }) {
  const urls = servers.flatMap((s) => s.urls);
  const turn = urls.filter((url) => /^turns?:/i.test(url));
  const places = worker.slice(0, 3).map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`);
  const tried = places.length === 0 ? "The answer names no address of it." : `Tried: ${places.join(", ")}.`;
  const port = worker[0] === undefined ? "its UDP port (rtc.port)" : `UDP port ${worker[0].port} of ${worker[0].host}`;
  const said = complaints.length === 0 ? "" : ` (${complaints.slice(0, 2).join("; ")})`;
  const remedy =
    turn.length === 0
      ? `Open ${port} towards this browser, or set up a TURN server (ice_servers).`
      : relayed
        ? `The TURN server ${turn[0]} answers, but does not reach the worker: let it send to ${port}.`
        : `The TURN server ${turn[0]} gave no address${said}: see its credentials and that it can be reached. Or open ${port}.`;
  return new LiveError("ice", `There is no UDP path to the worker. ${tried}`, remedy, { passing: true });
}

/** @param {string} text @returns {string} with a capital and a full stop */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** @param {unknown} error of getUserMedia @returns {LiveError} */
export function noMicrophone(error) {
  const name = error instanceof Error ? error.name : "";
  const [said, remedy] =
    name === "NotAllowedError" || name === "SecurityError"
      ? ["The microphone was not allowed.", "Allow it for this page beside the browser's address bar, then try again."]
      : name === "NotFoundError" || name === "OverconstrainedError"
        ? ["There is no microphone.", "Plug one in, or choose one in the system's settings, then try again."]
        : name === "NotReadableError" || name === "AbortError"
          ? ["The microphone cannot be opened.", "See that no other program holds it, then try again."]
          : ["This page may not use a microphone.", "Browsers allow it over https and on localhost only."];
  return new LiveError("microphone", said, remedy);
}

// ---------------------------------------------------------------------------------------------- pushing sound

/** The audio socket: keeps the order, the pace, and itself open. */
class Voice {
  /**
   * @param {(direct: boolean) => string|Promise<string>} where its address: the worker's own if that may be, else the server's
   * @param {{mood: (mood: LiveMood) => void, speech: (speech: LiveSpeech) => void, session: (state: string, reason: string|null) => void, error: (error: LiveError) => void}} tell
   */
  constructor(where, tell) {
    this.where = where;
    this.tell = tell;
    this.lead = new Lead();
    /** @type {{text: () => string, ms: number, done?: () => void}[]} what waits, oldest first */
    this.queue = [];
    /** @type {{text: () => string, ms: number}[]} the newest that were sent, in case they are refused */
    this.sent = [];
    /** @type {{nth: number, text: string, ms: number}[]} the newest that were sent over this socket, in case it leads elsewhere */
    this.log = [];
    this.count = 0;
    /** @type {string|null} up to where everything was heard */
    this.position = null;
    /** @type {WebSocket|null} */
    this.socket = null;
    this.opening = false;
    /** The worker's own address did not do. */
    this.detour = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.tries = 0;
    this.closed = false;
  }

  open() {
    if (this.closed || this.socket !== null || this.opening) return;
    const where = this.where(!this.detour);
    if (typeof where === "string") return this.connect(where);
    this.opening = true;
    void where.then((url) => {
      this.opening = false;
      if (!this.closed) this.connect(url);
    });
  }

  /** @param {string} url */
  connect(url) {
    const direct = url.includes("ticket=");
    const socket = new WebSocket(this.position === null ? url : `${url}&after=${this.position}`);
    this.socket = socket;
    [this.log, this.count] = [[], 0];
    let opened = false;
    socket.onopen = () => {
      opened = true;
      [this.tries, this.detour] = [0, false];
      this.pump();
    };
    socket.onmessage = ({ data }) => this.hear(data);
    socket.onclose = ({ code, reason }) => {
      if (this.socket === socket) this.socket = null;
      if (this.closed) return;
      this.detour = direct && !opened;
      this.tries += 1;
      if (direct && code === 1006 && this.lead.until > performance.now()) {
        const lost = "The worker is gone, and what it had not said is lost.";
        this.tell.error(new LiveError("speech", lost, "Push it again.", { passing: true }));
      }
      // 1008: it was refused, and would be again.
      const refused = code === 1008;
      if (refused || this.tries === HARD) {
        const why = reason || "the audio socket cannot be opened";
        this.tell.error(new LiveError("speech", sentence(why), "What is pushed is not said until it is open."));
      }
      if (refused) this.close();
      else setTimeout(() => this.open(), waitBefore(this.tries));
    };
  }

  /** @param {() => object} message @param {number} ms of sound in it @param {() => void} [done] called when it has left */
  push(message, ms, done) {
    if (this.closed) return done?.();
    // Written when it leaves: long speech waits as samples, not as text.
    this.queue.push({ text: () => JSON.stringify(message()), ms, done });
    this.pump();
  }

  pump() {
    clearTimeout(this.timer);
    for (let next = this.queue[0]; next !== undefined; next = this.queue[0]) {
      if (this.socket?.readyState !== WebSocket.OPEN) return;
      const now = performance.now();
      const wait = this.socket.bufferedAmount > 500_000 ? 20 : next.ms === 0 ? 0 : this.lead.wait(next.ms, now);
      if (wait > 0) {
        this.timer = setTimeout(() => this.pump(), wait);
        return;
      }
      this.queue.shift();
      const text = next.text();
      this.send(this.socket, text, next.ms);
      if (next.ms > 0) {
        this.lead.sent(next.ms, now);
        this.sent = [...this.sent, { text: () => text, ms: next.ms }].slice(-64);
      }
      next.done?.();
    }
  }

  /** @param {WebSocket} socket @param {string} text @param {number} ms of sound in it */
  send(socket, text, ms) {
    socket.send(text);
    this.count += 1;
    this.log = [...this.log, { nth: this.count, text, ms }].slice(-256);
  }

  /** Another socket is to be opened: what this one had not taken is sent over that. @param {number} taken of its messages */
  sentOn(taken) {
    const left = this.log.filter(({ nth }) => nth > taken);
    this.queue.unshift(...left.map(({ text, ms }) => ({ text: () => text, ms })));
    this.log = [];
  }

  /** @param {boolean} says it to the session, too */
  interrupt(says) {
    for (const waiting of this.queue.splice(0)) waiting.done?.();
    this.sent = [];
    this.lead.cleared();
    if (says && this.socket?.readyState === WebSocket.OPEN) {
      this.log = [];
      this.send(this.socket, JSON.stringify({ type: "agent.interrupt", event_id: INTERRUPTION }), 0);
      return true;
    }
    return false;
  }

  /** @param {unknown} data */
  hear(data) {
    /** @type {any} */
    let said;
    try {
      said = JSON.parse(String(data));
    } catch {
      return;
    }
    const eventId = said.event_id ?? null;
    switch (said.type) {
      case "agent.state_updated":
        return this.tell.mood(said.state);
      case "agent.speak_started":
        return this.tell.speech({ what: "started", eventId, playedMs: null });
      case "agent.speak_ended":
        return this.tell.speech({ what: "ended", eventId, playedMs: said.played_ms });
      case "agent.speak_interrupted":
        // There was nothing to interrupt.
        if (eventId === INTERRUPTION) return;
        return this.tell.speech({ what: "interrupted", eventId, playedMs: said.played_ms });
      case "agent.buffer":
        return this.lead.told(said.buffered_ms, said.limit_ms, performance.now());
      case "session.position":
        this.position = said.position;
        return;
      case "session.reconnect":
        return this.sentOn(said.messages_taken);
      case "session.state_updated":
        return this.tell.session(said.state, said.reason ?? null);
      case "error":
        return this.refused(said);
    }
  }

  /** @param {any} said */
  refused(said) {
    // Without room nothing more is taken, so what was refused is the last that was sent: it goes first again.
    const back = typeof said.retry_after_ms === "number" ? this.sent.pop() : undefined;
    if (back === undefined) {
      this.tell.error(
        new LiveError("speech", sentence(String(said.message ?? "a message was refused")), `(${said.code})`),
      );
      return;
    }
    this.queue.unshift(back);
    this.lead.refused(said.retry_after_ms, performance.now());
    this.pump();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.interrupt(false);
    this.socket?.close(1000);
  }
}

// ---------------------------------------------------------------------------------------------- the face

/**
 * One connection to the session's worker.
 *
 * @typedef {object} LiveLink
 * @property {RTCPeerConnection} peer
 * @property {{url: string, tag: string, answer: string}|null} viewer its address at the server; null while there is none
 * @property {MediaStreamTrack[]} tracks what came with it
 * @property {{relayed: boolean, complaints: string[]}} seen whether a TURN server gave an address, and what ICE servers said
 * @property {() => void} trickle there is somebody to tell candidates
 * @property {number} fence the session's placement as it was told last when this was made
 */

/** A live session as this page sees and hears it. Made by `connect`. */
export class MouthpieceLive {
  /** @type {LiveOptions} */ #options;
  /** @type {string} */ #base;
  /** @type {LiveState} */ #state = { phase: "connecting", step: null, detail: null };
  /** @type {LiveLink|null} what is shown */ #link = null;
  /** @type {Set<LiveLink>} all that are not let go of */ #links = new Set();
  /** @type {Voice} */ #voice;
  /** @type {RTCIceServer[]} */ #servers = [];
  /** @type {{fence: number, state: string}} how the session is, as its events told last */ #told = { fence: 0, state: "" };
  /** @type {EventSource|null} the session's events */ #events = null;
  /** @type {Promise<boolean>|null} the session is followed to where it was moved */ #following = null;
  /** @type {MediaStream} */ #stream = new MediaStream();
  /** @type {HTMLVideoElement|null} */ #video = null;
  /** @type {MediaStreamTrack|null} what the face says */ #microphone = null;
  #ownsMicrophone = false;
  /** @type {import("./mouthpiece.js").Received|null} */ #received = null;
  /** Ends what is under way. */ #over = new AbortController();
  /** @type {((why: LiveError|null) => void)} the connection is lost */ #lost = () => {};
  /** Cuts a wait short. */ #hurry = () => {};

  /**
   * Connects. The promise holds once the first frame is shown; until then `onstate` tells what is waited for.
   *
   * @param {LiveOptions} options
   * @returns {Promise<MouthpieceLive>}
   * @throws {LiveError} when it failed for good
   */
  static async connect(options) {
    const face = new MouthpieceLive(options);
    try {
      await face.#begin();
    } catch (error) {
      await face.#end("fail");
      throw error;
    }
    return face;
  }

  /** @param {LiveOptions} options see `connect` */
  constructor(options) {
    this.#options = options;
    this.#base = new URL(options.baseUrl ?? "/", globalThis.location?.href).href.replace(/\/$/, "");
    const audio = `${this.#sessionUrl().replace(/^http/, "ws")}/audio?token=${encodeURIComponent(options.token)}`;
    const where = (/** @type {boolean} */ direct) => (direct && options.direct ? this.#straight(audio) : audio);
    this.#voice = new Voice(where, {
      mood: (mood) => options.onmood?.(mood),
      speech: (speech) => options.onspeech?.(speech),
      session: (state, reason) => this.#heard(state, reason),
      error: (error) => options.onerror?.(error),
    });
    options.signal?.addEventListener("abort", () => void this.close());
    globalThis.addEventListener?.("pagehide", this.#leave);
    globalThis.addEventListener?.("online", this.#online);
    if (options.video) this.attach(options.video);
  }

  #leave = () => void this.close();
  #online = () => this.#hurry();

  /** @returns {LiveState} */
  get state() {
    return this.#state;
  }

  /** The face and its voice. @returns {MediaStream} */
  get stream() {
    return this.#stream;
  }

  /**
   * Shows the face in this element, also later and instead of another.
   *
   * @param {HTMLVideoElement|null} video
   */
  attach(video) {
    if (this.#video && this.#video !== video) this.#video.srcObject = null;
    this.#video = video;
    if (video === null) return;
    video.playsInline = true;
    video.srcObject = this.#stream;
    void this.#play(video);
  }

  /** @param {HTMLVideoElement} video */
  async #play(video) {
    try {
      await video.play();
    } catch (error) {
      // Sound needs a press on the page; the picture does not.
      if (!(error instanceof Error && error.name === "NotAllowedError") || video.muted) return;
      video.muted = true;
      await video.play().catch(() => {});
      this.#options.onerror?.(
        new LiveError(
          "media",
          "The browser plays no sound before a press.",
          "Press anywhere, then switch the sound on.",
        ),
      );
    }
  }

  /**
   * Says it: continues what is being said, or begins. Sound may come faster than it is said, in pieces of any length.
   *
   * @param {Float32Array|Int16Array|AudioBuffer} samples mono (of an AudioBuffer all channels are mixed, unless they
   *   cancel one another: then the loudest is taken)
   * @param {{sampleRate?: number, eventId?: string}} [more] samples a second: 8,000 to 48,000 (an AudioBuffer may have any);
   *   a name that comes back in `onspeech`
   * @returns {Promise<void>} holds when it has been sent, at most 4 s before it is said: wait for it between pieces
   */
  async speak(samples, { sampleRate = 24_000, eventId } = {}) {
    if (typeof AudioBuffer !== "undefined" && samples instanceof AudioBuffer) {
      return this.speak(await monoAt(samples, 24_000), { sampleRate: 24_000, eventId });
    }
    const [least, most] = RATES;
    if (!Number.isInteger(sampleRate) || sampleRate < least || sampleRate > most)
      throw new RangeError(`sampleRate must be a whole number from ${least} to ${most}: resample first`);
    const all = pieces(pcm16(/** @type {Float32Array|Int16Array} */ (samples)), sampleRate);
    await Promise.all(
      all.map((piece) => {
        const message = () => ({
          type: "agent.speak",
          audio: base64(piece),
          sample_rate: sampleRate,
          event_id: eventId,
        });
        return new Promise((sent) =>
          this.#voice.push(message, (piece.length / sampleRate) * 1000, () => sent(undefined)),
        );
      }),
    );
  }

  /** What was given to `speak` so far is all of this utterance. @param {{eventId?: string}} [more] */
  speakEnd({ eventId } = {}) {
    this.#voice.push(() => ({ type: "agent.speak_end", event_id: eventId }), 0);
  }

  /** Silence at once; what waits to be said is forgotten. */
  interrupt() {
    if (!this.#voice.interrupt(true)) void this.#request("POST", `${this.#sessionUrl()}/interrupt`).catch(() => {});
  }

  /** The session stays though nothing is said: its idle timeout begins anew. */
  keepAlive() {
    this.#voice.push(() => ({ type: "session.keep_alive" }), 0);
  }

  /** Somebody speaks to the face now: it listens. */
  startListening() {
    this.#voice.push(() => ({ type: "agent.start_listening" }), 0);
  }

  /** Nobody speaks to the face any more. */
  stopListening() {
    this.#voice.push(() => ({ type: "agent.stop_listening" }), 0);
  }

  /**
   * The face says what this microphone hears; null takes it away. `microphone` must have been given to `connect`.
   *
   * @param {MediaStream|null} stream stays the caller's: stop its tracks when they are not needed any more
   */
  async setMicrophone(stream) {
    if (!this.#options.microphone) throw new TypeError('connect with microphone: true, a stream, or "later"');
    if (this.#ownsMicrophone) this.#microphone?.stop();
    this.#ownsMicrophone = false;
    this.#microphone = stream?.getAudioTracks()[0] ?? null;
    for (const { peer } of this.#links) await peer.getTransceivers()[0]?.sender.replaceTrack(this.#microphone);
  }

  /** How it comes through. @returns {Promise<LiveStats|null>} null while not connected */
  async stats() {
    return (await this.#measure(false))?.stats ?? null;
  }

  /** @param {boolean} keep the next bitrate counts from here */
  async #measure(keep) {
    if (this.#link === null) return null;
    const reports = await this.#link.peer.getStats();
    const read = readStats(/** @type {any} */ (reports).values(), this.#received);
    if (keep) this.#received = read.received;
    return read;
  }

  /** Leaves. The session stays until its own limits end it. */
  async close() {
    await this.#end("close");
  }

  // ------------------------------------------------------------------------------------------ its life

  #sessionUrl() {
    return `${this.#base}/v1/sessions/${encodeURIComponent(this.#options.sessionId)}`;
  }

  /**
   * @param {Parameters<typeof nextState>[1]} event
   * @param {string|null} [detail]
   */
  #move(event, detail = null) {
    const next = { ...nextState(this.#state, event), detail };
    const { phase, step } = this.#state;
    const same = next.phase === phase && next.step === step && detail === this.#state.detail;
    if (same || phase === "closed" || phase === "failed") return;
    this.#state = next;
    this.#options.onstate?.(next);
  }

  async #begin() {
    const { microphone, signal, iceServers } = this.#options;
    if (signal?.aborted) throw signal.reason;
    if (microphone === true) await this.#openMicrophone();
    else if (microphone instanceof MediaStream) this.#microphone = microphone.getAudioTracks()[0] ?? null;
    this.#move("ask");
    this.#servers = iceServers ?? (await this.#askForServers());
    await new Promise((live, failed) => {
      this.#over.signal.addEventListener("abort", () => failed(this.#over.signal.reason));
      void this.#keep(() => live(undefined)).catch(failed);
    });
    const tick = setInterval(() => {
      if (this.#over.signal.aborted) clearInterval(tick);
      else
        void this.#measure(true).then(
          (read) => read && this.#options.onstats?.(read.stats),
          () => {},
        );
    }, 1000);
  }

  async #openMicrophone() {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      this.#microphone = stream.getAudioTracks()[0] ?? null;
      this.#ownsMicrophone = true;
    } catch (error) {
      throw noMicrophone(error);
    }
  }

  /** Where the worker takes sound itself; `otherwise` where it does not. @param {string} otherwise */
  async #straight(otherwise) {
    try {
      const told = await (await this.#request("GET", this.#sessionUrl())).json();
      return String(told.live?.direct_audio_url ?? otherwise);
    } catch {
      return otherwise;
    }
  }

  async #askForServers() {
    const answer = await this.#request("GET", this.#sessionUrl());
    const told = await answer.json();
    return /** @type {RTCIceServer[]} */ (told.live?.ice_servers ?? []);
  }

  /** Connects, and connects again when it was lost, until it is over. @param {() => void} onLive */
  async #keep(onLive) {
    let [tries, everLive, since] = [0, false, performance.now()];
    while (!this.#over.signal.aborted) {
      /** @type {LiveError|null} */
      let why;
      try {
        const lost = new Promise((/** @type {(why: LiveError|null) => void} */ done) => (this.#lost = done));
        await this.#join();
        [tries, everLive] = [0, true];
        onLive();
        why = await lost;
        since = performance.now();
        if (why === null && (await this.#mayFollow())) continue;
      } catch (error) {
        if (this.#over.signal.aborted) return;
        why = error instanceof LiveError ? error : new LiveError("media", sentence(String(error)), "Reload the page.");
      }
      if (this.#over.signal.aborted) return;
      const most = this.#options.giveUpMs ?? (everLive ? Number.POSITIVE_INFINITY : FIRST_MS);
      const tooLong = performance.now() - since > most;
      // What never worked, and is not a server that asks for patience, is told at once.
      const hopeless = why !== null && (!why.passing || (!everLive && why.step !== "signalling"));
      if (why !== null && (hopeless || tooLong)) {
        why.fatal = true;
        await this.#end("fail", why);
        throw why;
      }
      this.#move("ask", why?.sentence ?? null);
      this.#hangUp();
      tries += 1;
      await this.#wait(why?.retryMs ?? (tries === 1 && why === null ? 0 : waitBefore(tries)));
    }
  }

  /** A connection that is shown from its beginning on; nothing to do where one has just been made by following. */
  async #join() {
    if (this.#link !== null) return this.#watch(this.#link);
    this.#move("ask", this.#state.detail);
    const link = this.#begun();
    this.#show(link);
    await this.#make(link, (event) => this.#move(event));
    this.#watch(link);
  }

  /** @returns {LiveLink} */
  #begun() {
    const peer = new RTCPeerConnection({ iceServers: this.#servers, bundlePolicy: "max-bundle" });
    const seen = { relayed: false, complaints: /** @type {string[]} */ ([]) };
    /** @type {LiveLink} */
    const link = { peer, viewer: null, tracks: [], seen, trickle: () => {}, fence: this.#told.fence };
    this.#links.add(link);
    link.trickle = this.#trickle(link);
    peer.ontrack = ({ track }) => {
      link.tracks.push(track);
      if (this.#link === link) this.#take(track);
    };
    return link;
  }

  /**
   * Takes a connection up to its first frame.
   *
   * @param {LiveLink} link
   * @param {(event: "answered"|"connected"|"frame") => void} tell
   */
  async #make(link, tell) {
    const { peer } = link;
    peer.addTransceiver(this.#microphone ?? "audio", {
      direction: this.#options.microphone ? "sendrecv" : "recvonly",
      streams: [new MediaStream()],
    });
    peer.addTransceiver("video", { direction: "recvonly" });
    await peer.setLocalDescription();
    const viewer = await this.#offer(peer.localDescription?.sdp ?? "", link);
    link.viewer = viewer;
    tell("answered");
    await peer.setRemoteDescription({ type: "answer", sdp: viewer.answer });
    link.trickle();
    await this.#connected(link);
    tell("connected");
    this.#voice.open();
    this.#listen();
    await this.#firstFrame(link);
    tell("frame");
  }

  /** Shows this connection from now on. @param {LiveLink} link */
  #show(link) {
    this.#link = link;
    link.fence = this.#told.fence;
    this.#received = null;
    for (const track of link.tracks) this.#take(track);
  }

  /** Hears of the session's changes: of its moves above all, while the connection is still good. */
  #listen() {
    if (this.#events !== null || typeof EventSource === "undefined" || this.#over.signal.aborted) return;
    const url = `${this.#sessionUrl()}/events?token=${encodeURIComponent(this.#options.token)}`;
    this.#events = new EventSource(url);
    this.#events.addEventListener("session", ({ data }) => {
      /** @type {any} */
      let session;
      try {
        session = JSON.parse(data);
      } catch {
        return;
      }
      this.#told = { fence: session.fence, state: session.state };
      if (session.state === "ended") return void this.#end("close", null, session.end?.reason ?? null);
      const link = this.#link;
      if (link === null) return;
      if (link.fence === 0) link.fence = session.fence;
      if (session.state === "live" && session.fence > link.fence) this.#follow();
    });
  }

  /** The session may run elsewhere: connects to it once more, and shows that when it is there. */
  #follow() {
    if (this.#following !== null || this.#link === null || this.#over.signal.aborted) return;
    this.#following = this.#followed(this.#link).finally(() => (this.#following = null));
  }

  /** @param {LiveLink} before @returns {Promise<boolean>} it was followed */
  async #followed(before) {
    let packets = -1;
    for (let tries = 1; tries <= FOLLOWS && !this.#over.signal.aborted; tries += 1) {
      const link = this.#begun();
      try {
        await this.#make(link, () => {});
        if (this.#over.signal.aborted) return false;
        this.#show(link);
        this.#watch(link);
        this.#drop(before);
        this.#move("frame");
        return true;
      } catch (error) {
        this.#drop(link);
        if (this.#over.signal.aborted || (error instanceof LiveError && !error.passing)) break;
        // What is shown may stand still by now, which takes a connection many seconds to find out.
        const now = await packetsOf(before.peer);
        if (now === packets) this.#lost(null);
        packets = now;
        await this.#wait(waitBefore(tries));
      }
    }
    return false;
  }

  /** What was shown is lost. Where the session is followed already, that is waited for. */
  async #mayFollow() {
    if (this.#following === null) return false;
    this.#move("ask");
    const stale = this.#link;
    const followed = await this.#following;
    if (!followed || this.#link === stale) return false;
    return this.#link !== null;
  }

  /** @param {MediaStreamTrack} track replaces the one of its kind */
  #take(track) {
    for (const old of this.#stream.getTracks()) if (old.kind === track.kind) this.#stream.removeTrack(old);
    this.#stream.addTrack(track);
    if (this.#video && this.#video.srcObject === this.#stream) void this.#play(this.#video);
  }

  /** @param {string} sdp asks until there is an answer; a session that waits for its slot is waited for @param {LiveLink} link */
  async #offer(sdp, link) {
    for (;;) {
      try {
        const answer = await this.#request("POST", `${this.#sessionUrl()}/whep`, "application/sdp", sdp);
        const links = iceServersOf(answer.headers.get("link"));
        if (links.length > 0) this.#servers = links;
        const url = new URL(answer.headers.get("location") ?? "", answer.url).href;
        return { url, tag: answer.headers.get("etag") ?? "", answer: await answer.text() };
      } catch (error) {
        if (!(error instanceof LiveError && error.status === 409 && error.retryMs !== null)) throw error;
        if (this.#link === link) this.#move("ask", error.sentence);
        await this.#wait(error.retryMs);
        if (this.#over.signal.aborted) throw error;
      }
    }
  }

  /**
   * Gathers candidates, and tells them in batches once there is somebody to tell.
   *
   * @param {LiveLink} link
   * @returns {() => void} there is somebody now
   */
  #trickle(link) {
    const { peer, seen } = link;
    /** @type {RTCIceCandidate[]} */
    let found = [];
    let [end, soon] = [false, false];
    const tell = async () => {
      soon = false;
      const viewer = link.viewer;
      if (viewer === null || !this.#links.has(link) || (found.length === 0 && !end)) return;
      const body = sdpFragment(peer.localDescription?.sdp ?? "", found, { end });
      [found, end] = [[], false];
      // A refusal is no failure yet: the worker learns most addresses from the packets themselves.
      await this.#request("PATCH", viewer.url, FRAGMENT, body, { "if-match": viewer.tag }).catch(() => {});
    };
    peer.onicecandidate = ({ candidate }) => {
      if (candidate === null || candidate.candidate === "") end = true;
      else found.push(candidate);
      if (candidate?.type === "relay") seen.relayed = true;
      if (soon || link.viewer === null) return;
      soon = true;
      setTimeout(() => void tell(), 30);
    };
    peer.onicecandidateerror = (event) => {
      const { errorCode, errorText, url } = /** @type {RTCPeerConnectionIceErrorEvent} */ (event);
      const text = `${url}: ${errorText || "no answer"} (${errorCode})`;
      if (seen.complaints.length < 8 && !seen.complaints.includes(text)) seen.complaints.push(text);
    };
    return () => void tell();
  }

  /**
   * @param {LiveLink} link
   * @param {string[]} [ends] states that decide it; at a restart the old failure does not
   */
  async #connected(link, ends = ["connected", "failed", "closed"]) {
    const { peer, seen } = link;
    const done = await this.#until(() => ends.includes(peer.connectionState), peer, "connectionstatechange");
    if (done && peer.connectionState === "connected") return;
    if (this.#over.signal.aborted) throw this.#over.signal.reason;
    if (["connected", "completed"].includes(peer.iceConnectionState)) {
      throw new LiveError(
        "dtls",
        "The worker was reached, but the encrypted connection was not made.",
        "See that no firewall inspects or cuts UDP traffic, then try again.",
        { passing: true },
      );
    }
    throw noPath(candidatesOf(link.viewer?.answer ?? ""), this.#servers, seen);
  }

  /** @param {LiveLink} link */
  async #firstFrame(link) {
    const { peer } = link;
    let packets = 0;
    let shown = false;
    // While another one is shown, the element's frames are not this one's.
    if (this.#link === link) this.#video?.requestVideoFrameCallback?.(() => (shown = true));
    const look = async () => {
      const reports = [.../** @type {any} */ (await peer.getStats()).values()];
      const video = reports.find((r) => r.type === "inbound-rtp" && r.kind === "video");
      packets = video?.packetsReceived ?? 0;
      // A hidden page is not drawn: what arrives must do.
      if ((video?.framesDecoded ?? 0) > 0 || (globalThis.document?.hidden && packets > 0)) shown = true;
    };
    for (const end = performance.now() + PATIENCE_MS; !shown;) {
      if (this.#over.signal.aborted) throw this.#over.signal.reason;
      if (performance.now() > end) {
        throw packets === 0
          ? new LiveError(
              "media",
              "The connection stands, but no picture comes.",
              "Try again; if it stays, see whether the session still runs and whether large UDP packets pass.",
              { passing: true },
            )
          : new LiveError(
              "media",
              "Pictures come, but this browser does not decode them.",
              "Use a browser that decodes H.264.",
              { passing: true },
            );
      }
      await look();
      if (!shown) await new Promise((next) => setTimeout(next, 25));
    }
  }

  /**
   * Mends a path that is interrupted, and tells when it cannot be mended.
   *
   * @param {LiveLink} link
   */
  #watch(link) {
    const { peer } = link;
    let mending = false;
    const dtls = peer.getReceivers()[0]?.transport;
    const gone = () => {
      if (this.#link === link) this.#lost(null);
    };
    const look = async () => {
      if (this.#link !== link || mending) return;
      if (peer.connectionState === "closed" || dtls?.state === "closed" || dtls?.state === "failed") return gone();
      if (peer.connectionState !== "disconnected" && peer.connectionState !== "failed") return;
      mending = true;
      const back = () => peer.connectionState === "connected";
      const healed =
        peer.connectionState === "disconnected" && (await this.#until(back, peer, "connectionstatechange", GRACE_MS));
      if (!healed && this.#link === link && !this.#over.signal.aborted) {
        this.#move("shaky");
        try {
          await this.#restart(link);
          await this.#connected(link, ["connected", "closed"]);
          if (this.#link === link) this.#move("connected");
        } catch {
          return gone();
        }
      }
      mending = false;
      void look();
    };
    peer.onconnectionstatechange = () => void look();
    if (dtls) dtls.onstatechange = () => void look();
    void look();
  }

  /** @param {LiveLink} link */
  async #restart(link) {
    const { peer, viewer } = link;
    if (viewer === null) throw new Error("there is nobody to ask");
    peer.setConfiguration({ iceServers: this.#servers, bundlePolicy: "max-bundle" });
    // Candidates of the new ICE session wait until its tag is known.
    link.viewer = null;
    let sdp = viewer.answer;
    let tag = viewer.tag;
    try {
      await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
      const body = sdpFragment(peer.localDescription?.sdp ?? "", [], { restart: true });
      const answer = await this.#request("PATCH", viewer.url, FRAGMENT, body, { "if-match": "*" });
      tag = answer.headers.get("etag") ?? tag;
      sdp = withFragment(sdp, await answer.text());
    } finally {
      link.viewer = { url: viewer.url, tag, answer: sdp };
    }
    await peer.setRemoteDescription({ type: "answer", sdp });
    link.trickle();
  }

  /** The audio socket tells of the session. @param {string} state @param {string|null} reason */
  #heard(state, reason) {
    if (state === "ended") void this.#end("close", null, reason);
    // Its line to the session ended: the session was moved, or lost its worker. What is shown tells by itself when it is over.
    else if (state !== "live" && this.#state.phase === "live") this.#follow();
  }

  /** Lets go of all connections, and says so to the server. */
  async #hangUp() {
    this.#link = null;
    await Promise.all([...this.#links].map((link) => this.#drop(link)));
  }

  /** Lets go of a connection, and says so to the server. @param {LiveLink} link */
  #drop(link) {
    if (!this.#links.delete(link)) return null;
    if (this.#link === link) this.#link = null;
    const { peer, viewer } = link;
    peer.onconnectionstatechange = peer.onicecandidate = peer.onicecandidateerror = peer.ontrack = null;
    peer.close();
    if (viewer === null) return null;
    return this.#request("DELETE", viewer.url, undefined, undefined, {}, true).catch(() => null);
  }

  /** @param {"close"|"fail"} event @param {LiveError|null} [why] @param {string|null} [detail] */
  async #end(event, why = null, detail = null) {
    if (this.#over.signal.aborted) return;
    this.#move(event, why?.sentence ?? detail);
    this.#over.abort(why ?? new DOMException(detail ?? "It was closed.", "AbortError"));
    this.#hurry();
    this.#lost(null);
    globalThis.removeEventListener?.("pagehide", this.#leave);
    globalThis.removeEventListener?.("online", this.#online);
    this.#voice.close();
    this.#events?.close();
    if (this.#ownsMicrophone) this.#microphone?.stop();
    if (why !== null) this.#options.onerror?.(why);
    await this.#hangUp();
  }

  /** @param {number} ms or until somebody is in a hurry */
  async #wait(ms) {
    if (ms <= 0 || this.#over.signal.aborted) return;
    await new Promise((done) => {
      const timer = setTimeout(done, ms);
      this.#hurry = () => {
        clearTimeout(timer);
        done(undefined);
      };
    });
  }

  /**
   * @param {() => boolean} holds
   * @param {EventTarget} target
   * @param {string} event after which it may hold
   * @param {number} [ms]
   * @returns {Promise<boolean>} false if it did not hold in time
   */
  async #until(holds, target, event, ms = PATIENCE_MS) {
    const { signal } = this.#over;
    return new Promise((done) => {
      const finish = () => {
        clearTimeout(timer);
        target.removeEventListener(event, look);
        signal.removeEventListener("abort", finish);
        done(holds());
      };
      const look = () => {
        if (holds()) finish();
      };
      const timer = setTimeout(finish, ms);
      target.addEventListener(event, look);
      signal.addEventListener("abort", finish);
      look();
    });
  }

  /**
   * @param {string} method
   * @param {string} url
   * @param {string} [type]
   * @param {string} [body]
   * @param {Record<string, string>} [headers]
   * @param {boolean} [last] it goes out even if the page closes, and after the end
   * @returns {Promise<Response>}
   */
  async #request(method, url, type, body, headers = {}, last = false) {
    const sent = {
      authorization: `Bearer ${this.#options.token}`,
      ...(type ? { "content-type": type } : {}),
      ...headers,
    };
    let answer;
    try {
      answer = await fetch(url, {
        method,
        headers: sent,
        body: body ?? null,
        keepalive: last,
        credentials: "omit",
        signal: last ? null : this.#over.signal,
      });
    } catch (error) {
      if (this.#over.signal.aborted && !last) throw error;
      throw new LiveError(
        "signalling",
        "The server did not answer, or the connection broke.",
        `See that ${this.#base} can be reached from here.`,
        { passing: true },
      );
    }
    if (!answer.ok) throw refusal(answer.status, await answer.text(), answer.headers, Date.now());
    return answer;
  }
}

const FRAGMENT = "application/trickle-ice-sdpfrag";

/** @param {RTCPeerConnection} peer @returns {Promise<number>} packets of video that came */
async function packetsOf(peer) {
  const reports = [.../** @type {any} */ (await peer.getStats().catch(() => new Map())).values()];
  return reports.find((r) => r.type === "inbound-rtp" && r.kind === "video")?.packetsReceived ?? 0;
}

/**
 * All channels as one, at another rate.
 *
 * @param {AudioBuffer} buffer
 * @param {number} rate samples a second
 * @returns {Promise<Float32Array>}
 */
async function monoAt(buffer, rate) {
  const context = new OfflineAudioContext(1, Math.max(1, Math.ceil(buffer.duration * rate)), rate);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.start();
  const mixed = (await context.startRendering()).getChannelData(0);
  if (buffer.numberOfChannels === 1) return mixed;
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, n) => buffer.getChannelData(n));
  const powers = channels.map(power);
  const loudest = powers.indexOf(Math.max(...powers));
  // A voice that is the other way up in one channel is not in their mean.
  const unrelated = powers.reduce((sum, one) => sum + one, 0) / channels.length ** 2;
  if (power(mixed) >= 0.1 * unrelated) return mixed;
  const alone = new AudioBuffer({ length: buffer.length, sampleRate: buffer.sampleRate });
  alone.copyToChannel(channels[loudest] ?? mixed, 0);
  return monoAt(alone, rate);
}

/** @param {Float32Array} samples @returns {number} the mean of their squares */
function power(samples) {
  let sum = 0;
  for (const x of samples) sum += x * x;
  return samples.length === 0 ? 0 : sum / samples.length;
}
