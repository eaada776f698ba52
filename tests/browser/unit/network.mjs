/**
 * A network for the client library without a network: requests, peer connections and sockets that do as the test says.
 *
 * @typedef {{method: string, path: string, headers: Record<string, string>, body: string}} Request
 * @typedef {{status?: number, body?: string, headers?: Record<string, string>}} Answer
 */
import { ANSWER, OFFER } from "./sdp.mjs";

export class Peer extends EventTarget {
  /** @type {Peer[]} */
  static all = [];
  /** How the next ones fare. */
  static reaches = true;
  static frames = 1;

  connectionState = "new";
  iceConnectionState = "new";
  /** @type {{type: string, sdp: string}|null} */
  localDescription = null;
  /** @type {number|null} what came over this one; else what comes over all */
  frames = null;
  /** @type {string[]} */
  answers = [];
  dtls = { state: "connected", onstatechange: /** @type {(() => void)|null} */ (null) };
  /** @type {any} */
  onconnectionstatechange = null;
  /** @type {any} */
  onicecandidate = null;
  /** @type {{kind: unknown, direction: string, sender: {track: unknown, replaceTrack: (track: unknown) => Promise<void>}}[]} */
  transceivers = [];

  /** @param {RTCConfiguration} config */
  constructor(config) {
    super();
    this.config = config;
    Peer.all.push(this);
  }
  /** @param {unknown} kind @param {{direction: string}} init */
  addTransceiver(kind, { direction }) {
    const sender = {
      track: typeof kind === "string" ? null : kind,
      replaceTrack: async (/** @type {unknown} */ track) => void (sender.track = track),
    };
    this.transceivers.push({ kind, direction, sender });
  }
  getTransceivers() {
    return this.transceivers;
  }
  getReceivers() {
    return [{ transport: this.dtls }];
  }
  setConfiguration() {}
  async createOffer() {
    return { type: "offer", sdp: OFFER.replaceAll("EsAw", "anew") };
  }
  /** @param {{type: string, sdp: string}} [given] */
  async setLocalDescription(given) {
    this.localDescription = given ?? { type: "offer", sdp: OFFER };
    queueMicrotask(() => {
      this.onicecandidate?.({
        candidate: { candidate: "candidate:1 1 udp 1 192.0.2.1 6 typ host", sdpMid: "0", type: "host" },
      });
      this.onicecandidate?.({ candidate: null });
    });
  }
  /** @param {{sdp: string}} answer */
  async setRemoteDescription({ sdp }) {
    this.answers.push(sdp);
    setTimeout(() => this.turn(Peer.reaches ? "connected" : "failed"), 1);
  }
  /** The worker closes the encrypted connection. */
  sayGoodbye() {
    this.dtls.state = "closed";
    this.dtls.onstatechange?.();
  }
  /** @param {string} state */
  turn(state) {
    if (this.connectionState === "closed") return;
    this.connectionState = state;
    const event = new Event("connectionstatechange");
    this.onconnectionstatechange?.(event);
    this.dispatchEvent(event);
  }
  async getStats() {
    const frames = this.frames ?? Peer.frames;
    const video = { type: "inbound-rtp", kind: "video", framesDecoded: frames, packetsReceived: frames };
    return new Map([["v", video]]);
  }
  close() {
    this.connectionState = "closed";
  }
}

export class Socket extends EventTarget {
  static OPEN = 1;
  /** Whether the next ones reach anybody. */
  static reaches = true;
  /** @type {Socket[]} */
  static all = [];
  readyState = 0;
  bufferedAmount = 0;
  /** @type {any[]} */
  sent = [];
  /** @type {any} */
  onopen = null;
  /** @type {any} */
  onmessage = null;
  /** @type {any} */
  onclose = null;

  /** @param {string} url */
  constructor(url) {
    super();
    this.url = url;
    Socket.all.push(this);
    setTimeout(() => {
      if (!Socket.reaches) return this.close(1006);
      this.readyState = 1;
      this.onopen?.();
    }, 1);
  }
  /** @param {string} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  /** @param {unknown} message */
  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  /** @param {number} code @param {string} [reason] */
  close(code, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

export class Events extends EventTarget {
  /** @type {Events[]} */
  static all = [];
  closed = false;

  /** @param {string} url */
  constructor(url) {
    super();
    this.url = url;
    Events.all.push(this);
  }
  /** @param {unknown} session */
  say(session) {
    this.dispatchEvent(Object.assign(new Event("session"), { data: JSON.stringify(session) }));
  }
  close() {
    this.closed = true;
  }
}

class Stream {
  /** @type {unknown[]} */
  tracks = [];
  getTracks() {
    return this.tracks;
  }
  getAudioTracks() {
    return this.tracks;
  }
}

/**
 * Puts the fakes in place of the browser's own.
 *
 * @param {import("node:test").TestContext} t
 * @param {(request: Request, n: number) => Answer} answer `n` counts requests of this method from 1
 * @returns {Request[]} what was asked so far
 */
export function network(t, answer) {
  /** @type {Request[]} */
  const asked = [];
  const fakes = {
    RTCPeerConnection: Peer,
    WebSocket: Socket,
    EventSource: Events,
    MediaStream: Stream,
    fetch: async (/** @type {string} */ url, /** @type {any} */ init) => {
      await null;
      init.signal?.throwIfAborted();
      const request = {
        method: init.method,
        path: new URL(url).pathname,
        headers: init.headers,
        body: init.body ?? "",
      };
      asked.push(request);
      const {
        status = 200,
        body = "",
        headers = {},
      } = answer(request, asked.filter((r) => r.method === init.method).length);
      if (status === 0) throw new TypeError("no network");
      const made = new Response(status === 204 ? null : body, { status, headers });
      Object.defineProperty(made, "url", { value: url });
      return made;
    },
  };
  Object.assign(Peer, { all: [], reaches: true, frames: 1 });
  [Socket.all, Events.all, Socket.reaches] = [[], [], true];
  for (const [name, fake] of Object.entries(fakes)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value: fake, configurable: true, writable: true });
    t.after(() =>
      before ? Object.defineProperty(globalThis, name, before) : Reflect.deleteProperty(globalThis, name),
    );
  }
  return asked;
}

/** The answers of a server where all goes well. @param {Request} request @returns {Answer} */
export function well({ method, path }) {
  if (method === "POST") {
    return { status: 201, body: ANSWER, headers: { location: `${path}/viewer-1`, etag: '"tag-1"' } };
  }
  return { status: method === "PATCH" ? 204 : 200 };
}

/** @param {() => boolean} holds @param {string} what */
export async function until(holds, what) {
  for (let i = 0; i < 1000; i += 1) {
    if (holds()) return;
    await new Promise((next) => setTimeout(next, 5));
  }
  throw new Error(`it never was: ${what}`);
}
