/** The user's microphone: asked for when it is needed, let go as soon as it is not. */
import { noMicrophone } from "../live/mouthpiece.js";

const WANTED = { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } };

/** @param {(open: boolean) => void} changed told when it opens and closes */
export function microphone(changed) {
  /** @type {MediaStream|null} */
  let stream = null;

  const close = () => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    changed(false);
  };

  return {
    /** @returns {MediaStream|null} */
    stream: () => stream,

    /**
     * @param {() => boolean} still it is still wanted once the user has answered
     * @throws {import("../live/mouthpiece.js").LiveError} when there is none, or it was refused
     */
    async open(still) {
      close();
      try {
        const opened = await navigator.mediaDevices.getUserMedia(WANTED);
        stream = opened;
      } catch (error) {
        throw noMicrophone(error);
      }
      if (still()) changed(true);
      else close();
    },

    close,
  };
}
