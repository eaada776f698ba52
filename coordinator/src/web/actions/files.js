/** Recordings and pictures, from the user or from the samples. */
import { ProblemError, refusedHere } from "../core/problem.js";

/** @typedef {{name: string, path: string, type: string}} SampleFace */

/** The face that talks when somebody just looks. @type {SampleFace} */
const OFFICER = { name: "Officer", path: "assets/samples/officer.jpg", type: "image/jpeg" };
/** Faces that come with the page. */
export const SAMPLE_FACES = [OFFICER, { name: "Astronaut", path: "assets/samples/portrait.png", type: "image/png" }];
export const SAMPLE = { portrait: OFFICER.path, speech: "assets/samples/speech.wav" };
/** The largest recording that is said live: it is held in memory. */
const LARGEST = 64e6;
/** The longest, seconds. */
const LONGEST = 900;
/** Samples a second that a session takes. */
const RATE = 24_000;

/**
 * @param {string} path
 * @param {string} type
 */
export async function sampleFile(path, type) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: status ${answer.status}`);
  return new Blob([await answer.arrayBuffer()], { type });
}

/**
 * A recording, decoded by the browser.
 *
 * @param {Blob} file
 * @returns {Promise<AudioBuffer>}
 * @throws {ProblemError}
 */
export async function readSpeech(file) {
  const refuse = (/** @type {string} */ detail) => new ProblemError(refusedHere(detail, null));
  if (file.size > LARGEST)
    throw refuse("A recording that is said live has 64 MB at most: choose a shorter one, or make a video of it.");
  /** @type {AudioBuffer} */
  let read;
  try {
    read = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await file.arrayBuffer());
  } catch {
    throw refuse("This browser cannot read the recording: make a video of it, or choose a WAV or MP3 file.");
  }
  if (read.duration > LONGEST)
    throw refuse("A recording that is said live has 15 minutes at most: choose a shorter one, or make a video of it.");
  return read;
}
