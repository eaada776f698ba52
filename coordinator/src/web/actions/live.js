/**
 * Talking live: a session, a connection to its face, and what the face says.
 *
 * @import { Store } from "../core/store.js"
 * @import { Avatar, LiveStatus, Problem, Session } from "../core/types.js"
 * @import { Failure } from "../state/live.js"
 * @import { State } from "../state/state.js"
 */
import { ask, upload } from "../core/api.js";
import { ProblemError, refusedHere } from "../core/problem.js";
import { LiveError, MouthpieceLive } from "../live/mouthpiece.js";
import { failureOf, isLive, isTalking, talkChanged, talkMoved, talkOver, talkStarted } from "../state/live.js";
import { announced } from "../state/page.js";
import { avatarArrived, sessionArrived } from "../state/sessions.js";
import { avatarChosen, modeChosen, speechPicked } from "../state/studio.js";
import { readSpeech, sampleFile, SAMPLE } from "./files.js";
import { microphone } from "./microphone.js";
import { pickOf } from "./studio.js";

/** How often the worker is asked how it is, ms. */
const POLL_MS = 1_000;
/** The largest side of live video, pixels. */
const LARGEST = 1024;

/** @typedef {"microphone"|{file: Blob, name: string}} What is to be said */

/**
 * @param {Store<State>} store
 * @param {{failed: (error: unknown) => Problem}} lists
 */
export function liveActions(store, lists) {
  /** The one element of the face: it goes on when the page draws something else. */
  const video = document.createElement("video");
  video.className = "face";
  video.setAttribute("aria-label", "The live face");
  /** @type {MouthpieceLive|null} */
  let face = null;
  const mic = microphone((talking) => store.update(talkChanged, { talking }));
  /** Ends what is under way. */
  let over = new AbortController();
  let utterances = 0;
  /** What the last one began with. @type {What} */
  let first = "microphone";

  const is = (/** @type {AbortController} */ own) => own === over && !own.signal.aborted;

  /** @param {What} what */
  async function begin(what) {
    over.abort();
    const own = new AbortController();
    over = own;
    first = what;
    const spoken = what === "microphone";
    store.update(talkStarted, spoken ? "microphone" : "session", !spoken);
    try {
      if (spoken) await mic.open(() => is(own));
      if (!is(own)) return;
      const avatar = await chosenFace(own);
      if (!is(own)) return;
      store.update(talkChanged, { phase: "session", percent: null });
      const session = await makeSession(avatar);
      store.update(sessionArrived, session, performance.now());
      if (!is(own)) return endSession(session.id);
      store.update(talkChanged, { phase: "connecting", session: session.id });
      const made = await connect(session, own);
      if (!is(own)) return made.close();
      face = made;
      void poll(own, session.id);
      if (!spoken) await say(what);
    } catch (error) {
      if (is(own)) finish(failed(error));
    }
  }

  /** The id of the face to talk with: the chosen one, the portrait once it is sent, or the sample. @param {AbortController} own */
  async function chosenFace(own) {
    const { avatarId, portrait } = store.get().studio;
    if (portrait === null && avatarId !== null) return avatarId;
    store.update(talkChanged, { phase: "face", percent: 0 });
    const file = portrait?.file ?? (await sampleFile(SAMPLE.portrait, "image/jpeg"));
    const form = new FormData();
    form.append("name", portrait === null ? "Sample" : portrait.name.replace(/\.[^.]+$/, "").slice(0, 100));
    form.append("image", file, portrait?.name ?? "officer.jpg");
    const progress = (/** @type {number} */ percent) => is(own) && store.update(talkChanged, { percent });
    const { body } = /** @type {{body: Avatar}} */ (
      await upload("v1/avatars", form, { progress, signal: own.signal })
    );
    store.update(avatarArrived, body);
    if (is(own)) store.update(avatarChosen, body.id);
    return body.id;
  }

  /** @param {string} avatar_id @returns {Promise<Session>} */
  function makeSession(avatar_id) {
    const { fps, size, crop, seed, head, motion, expression, blinks } = store.get().studio.options;
    const bounded = size === null ? {} : { size: Math.min(size, LARGEST) };
    const json = { kind: "live", avatar_id, fps, ...bounded, crop, seed, head, motion, expression, blinks };
    return ask("POST", "v1/sessions", { json });
  }

  /** @param {Session} session @param {AbortController} own */
  function connect(session, own) {
    video.muted = !store.get().talk.hear;
    const mine = (/** @type {() => void} */ update) => is(own) && update();
    return MouthpieceLive.connect({
      baseUrl: new URL(".", location.href).href,
      sessionId: session.id,
      token: session.live?.token ?? "",
      iceServers: session.live?.ice_servers ?? [],
      video,
      microphone: mic.stream() ?? "later",
      signal: own.signal,
      onstate: (state) => mine(() => (state.phase === "closed" ? finish(null) : store.update(talkMoved, state))),
      onmood: (mood) => mine(() => store.update(talkChanged, { mood })),
      onspeech: ({ what, eventId }) =>
        mine(() => {
          if (what !== "started" && eventId === store.get().talk.saying?.eventId)
            store.update(talkChanged, { saying: null });
        }),
      onstats: (stats) => mine(() => store.update(talkChanged, { stats })),
      onerror: (error) =>
        mine(() => {
          if (error.fatal) finish(failed(error));
          else store.update(talkChanged, { failure: failed(error), hear: !video.muted });
        }),
    });
  }

  /** @param {unknown} error @returns {Failure} */
  function failed(error) {
    if (error instanceof LiveError) {
      const { sentence, remedy, step, requestId } = error;
      /** @type {Failure["ids"]} */
      const ids = step === "microphone" ? [] : [["Failed at", STEPS[step]]];
      const { session } = store.get().talk;
      if (session !== null && step !== "microphone") ids.push(["Session", session]);
      if (requestId !== null) ids.push(["Request", requestId]);
      return { sentence, remedy, ids, again: true };
    }
    if (error instanceof ProblemError) return failureOf(lists.failed(error));
    return { sentence: "Something in this page failed.", remedy: `Reload it. (${error})`, ids: [], again: true };
  }

  /** It is over, here and on the server. @param {Failure|null} failure null when it was ended */
  function finish(failure) {
    const { session } = store.get().talk;
    over.abort();
    void face?.close();
    face = null;
    mic.close();
    store.update(talkOver, failure);
    if (session !== null) void endSession(session);
  }

  /** @param {string} id also when it has ended by itself: then the answer says how */
  async function endSession(id) {
    try {
      const told = /** @type {Session|null} */ (await ask("DELETE", `v1/sessions/${encodeURIComponent(id)}`));
      if (told) store.update(sessionArrived, told, performance.now());
    } catch {
      // It ends by itself once nobody watches it.
    }
  }

  /** @param {AbortController} own @param {string} id how the worker is, until it is over */
  async function poll(own, id) {
    while (is(own)) {
      try {
        const status = /** @type {LiveStatus} */ (await ask("GET", `v1/sessions/${encodeURIComponent(id)}/live`));
        if (is(own)) store.update(talkChanged, { status });
      } catch {
        // Between two workers nobody can say.
      }
      await new Promise((next) => setTimeout(next, POLL_MS));
    }
  }

  /** @param {boolean} hear */
  function setHear(hear) {
    video.muted = !hear;
    store.update(talkChanged, { hear });
  }

  /** @param {{file: Blob, name: string}} what */
  async function say({ file, name }) {
    const speaker = face;
    if (speaker === null) return;
    utterances += 1;
    const eventId = `page-${utterances}`;
    store.update(talkChanged, { saying: { name, eventId }, failure: null });
    setHear(true);
    try {
      await speaker.setMicrophone(null);
      mic.close();
      speaker.interrupt();
      const samples = await readSpeech(file);
      if (store.get().talk.saying?.eventId !== eventId) return;
      await speaker.speak(samples, { eventId });
      speaker.speakEnd({ eventId });
    } catch (error) {
      const failure = error instanceof ProblemError ? failureOf(error.problem) : failed(error);
      if (speaker === face) store.update(talkChanged, { saying: null, failure });
    }
  }

  window.addEventListener("pagehide", () => {
    const { session } = store.get().talk;
    if (session !== null && isTalking(store.get()))
      void fetch(`v1/sessions/${encodeURIComponent(session)}`, { method: "DELETE", keepalive: true });
  });

  return {
    /** @param {"live"|"video"} mode */
    mode(mode) {
      store.update(modeChosen, mode);
      history.replaceState(null, "", mode === "video" ? "#video" : location.pathname);
    },

    /** Starts talking, or stops: the key is one. */
    async talk() {
      const { talking, saying } = store.get().talk;
      if (!isTalking(store.get())) return begin("microphone");
      if (!isLive(store.get()) || face === null) return;
      const own = over;
      const speaker = face;
      if (talking) {
        await speaker.setMicrophone(null);
        mic.close();
        return;
      }
      try {
        if (saying !== null) speaker.interrupt();
        store.update(talkChanged, { saying: null, failure: null });
        setHear(false);
        await mic.open(() => is(own));
        await speaker.setMicrophone(mic.stream());
      } catch (error) {
        if (is(own)) store.update(talkChanged, { failure: failed(error) });
      }
    },

    /** After a failure: the same once more. */
    async again() {
      if (!isTalking(store.get())) await begin(first);
    },

    /** @param {File} file chosen, and said at once */
    async pickAndSay(file) {
      store.update(speechPicked, pickOf(file, file.name));
      await this.say(file, file.name);
    },

    /** @param {Blob} file @param {string} name */
    async say(file, name) {
      if (!isTalking(store.get())) return begin({ file, name });
      if (isLive(store.get())) await say({ file, name });
    },

    async playSample() {
      try {
        await this.say(await sampleFile(SAMPLE.speech, "audio/wav"), "The sample");
      } catch {
        const problem = refusedHere("The sample did not load. Reload the page, or drop your own recording.", null);
        store.update(talkChanged, { failure: failureOf(problem) });
      }
    },

    /** Silence at once. */
    hush() {
      face?.interrupt();
      store.update(talkChanged, { saying: null });
    },

    setHear,

    end() {
      if (!isTalking(store.get())) return;
      finish(null);
      store.update(announced, "Ended");
    },

    dismiss() {
      store.update(talkChanged, { failure: null });
    },

    /** @param {HTMLElement} place where the face is shown now */
    mount(place) {
      place.append(video);
      // A video that was taken out of the document stands still.
      if (video.srcObject !== null) void video.play().catch(() => {});
    },
  };
}

/** @type {Record<LiveError["step"], string>} */
const STEPS = {
  microphone: "microphone",
  signalling: "asking the server",
  ice: "finding a path (ICE)",
  dtls: "securing the path (DTLS)",
  media: "receiving the picture",
  speech: "sending the sound",
};
