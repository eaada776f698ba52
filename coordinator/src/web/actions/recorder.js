/**
 * Recording one's own voice for a video: a press asks for the microphone, the next one makes it the chosen recording.
 *
 * @import { Store } from "../core/store.js"
 * @import { State } from "../state/state.js"
 */
import { LiveError } from "../live/mouthpiece.js";
import { announced } from "../state/page.js";
import { LONGEST, NOT_RECORDING, mayRecord, recorderChanged } from "../state/recorder.js";
import { microphone } from "./microphone.js";

/** What browsers write, the best first, and how such files' names end. */
const KINDS = /** @type {const} */ ([
  ["audio/webm;codecs=opus", "webm"],
  ["audio/mp4", "m4a"],
  ["audio/ogg;codecs=opus", "ogg"],
]);
/** Bits a second: speech in Opus that nobody can tell from the original. */
const BITS = 96_000;
/** How often the time that is shown moves, ms. */
const TICK_MS = 250;

/**
 * @param {Store<State>} store
 * @param {(file: File) => void} use what is done with a recording
 */
export function recorderActions(store, use) {
  const mic = microphone(() => {});
  /** @type {{end: (keep: boolean) => void}|null} the recording under way */
  let running = null;
  /** Grows with each try: an answer to an earlier one comes too late. */
  let turn = 0;

  /** @param {string} sentence @param {string|null} remedy */
  const failed = (sentence, remedy) =>
    store.update(recorderChanged, { ...NOT_RECORDING, failure: { sentence, remedy } });

  /** @param {boolean} keep */
  function finish(keep) {
    turn += 1;
    if (running === null) {
      mic.close();
      if (store.get().recorder.phase !== "off") store.update(recorderChanged, NOT_RECORDING);
    } else running.end(keep);
  }

  /** @param {MediaStream} stream */
  function start(stream) {
    const kind = KINDS.find(([type]) => MediaRecorder.isTypeSupported(type));
    const [mimeType, ending] = kind ?? ["", "webm"];
    const recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS });
    /** @type {Blob[]} */
    const pieces = [];
    const since = performance.now();
    let wanted = false;
    const ticking = setInterval(() => {
      const seconds = (performance.now() - since) / 1000;
      store.update(recorderChanged, { seconds: Math.min(seconds, LONGEST) });
      if (seconds >= LONGEST) finish(true);
    }, TICK_MS);
    recorder.ondataavailable = ({ data }) => void pieces.push(data);
    recorder.onerror = () =>
      failed("The recording broke off.", "See that the microphone is still there, then record again.");
    // The microphone's own end, such as a plug that is pulled, stops it too: what was said is kept.
    recorder.onstop = () => {
      clearInterval(ticking);
      mic.close();
      const broke = store.get().recorder.failure;
      const unasked = running !== null;
      running = null;
      store.update(recorderChanged, { ...NOT_RECORDING, failure: broke });
      const type = (recorder.mimeType || mimeType).split(";")[0] ?? "";
      const blob = new Blob(pieces, { type });
      if (!(wanted || unasked) || !mayRecord(store.get())) return;
      if (blob.size === 0) return failed("Nothing was recorded.", "Record again, a little longer.");
      const at = new Date().toTimeString().slice(0, 5).replace(":", ".");
      use(new File([blob], `Recording ${at}.${ending}`, { type }));
      store.update(announced, "Recorded. It is chosen: listen to it, or render");
    };
    running = {
      end(keep) {
        wanted = keep;
        running = null;
        if (recorder.state !== "inactive") recorder.stop();
      },
    };
    recorder.start(1000);
    store.update(recorderChanged, { phase: "on", seconds: 0 });
    store.update(announced, "Recording");
  }

  // Who leaves while it records is recorded no further.
  store.listen((state) => {
    if (state.recorder.phase !== "off" && !mayRecord(state)) finish(false);
  });

  return {
    async record() {
      if (store.get().recorder.phase !== "off") return;
      turn += 1;
      const own = turn;
      store.update(recorderChanged, { phase: "asking", seconds: 0, failure: null });
      try {
        if (typeof MediaRecorder === "undefined") throw new TypeError("no MediaRecorder");
        await mic.open(() => own === turn);
        const stream = mic.stream();
        if (own === turn && stream !== null) start(stream);
      } catch (error) {
        if (own !== turn) return;
        mic.close();
        if (error instanceof LiveError) failed(error.sentence, error.remedy);
        else failed("This browser cannot record.", "Record with another program, and drop the file here.");
      }
    },

    /** What was said becomes the chosen recording. */
    stop: () => finish(true),

    discard() {
      finish(false);
      store.update(announced, "The recording is discarded");
    },

    dismiss: () => store.update(recorderChanged, { failure: null }),
  };
}
