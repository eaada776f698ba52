/** Files for the tests, made from the samples. */
import { readFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";
import { PORTRAIT, SPEECH } from "./harness.mjs";

/** @typedef {{name: string, mimeType: string, buffer: Buffer}} Upload */

/**
 * The sample recording, several times over: long enough that there is something to watch or to cancel.
 *
 * @param {number} times
 * @returns {Upload}
 */
export function longSpeech(times) {
  const wav = readFileSync(SPEECH);
  const data = wav.indexOf("data", 12, "latin1");
  const length = wav.readUInt32LE(data + 4);
  const sound = wav.subarray(data + 8, data + 8 + length);
  const head = Buffer.from(wav.subarray(0, data + 8));
  head.writeUInt32LE(length * times, data + 4);
  head.writeUInt32LE(data + length * times, 4);
  return { name: "long.wav", mimeType: "audio/wav", buffer: Buffer.concat([head, ...Array(times).fill(sound)]) };
}

/** The sample recording in stereo, one channel the other way up: their mean is silence. @returns {Upload} */
export function upsideDown() {
  const wav = readFileSync(SPEECH);
  const data = wav.indexOf("data", 12, "latin1");
  const length = wav.readUInt32LE(data + 4);
  const head = Buffer.from(wav.subarray(0, data + 8));
  const format = head.indexOf("fmt ", 12, "latin1") + 8;
  const [rate, bytes] = [head.readUInt32LE(format + 4), head.readUInt16LE(format + 14) / 8];
  head.writeUInt16LE(2, format + 2);
  head.writeUInt32LE(rate * bytes * 2, format + 8);
  head.writeUInt16LE(bytes * 2, format + 12);
  head.writeUInt32LE(length * 2, data + 4);
  head.writeUInt32LE(data + length * 2, 4);
  const sound = Buffer.alloc(length * 2);
  for (let at = 0; at < length; at += 2) {
    const sample = wav.readInt16LE(data + 8 + at);
    sound.writeInt16LE(sample, at * 2);
    sound.writeInt16LE(Math.max(-32767, -sample), at * 2 + 2);
  }
  return { name: "upside-down.wav", mimeType: "audio/wav", buffer: Buffer.concat([head, sound]) };
}

/** The sample portrait as another file: the same pixels, a note in it. @returns {Upload} */
export function otherPortrait() {
  const png = readFileSync(PORTRAIT);
  const end = png.length - 12;
  const note = chunk("tEXt", Buffer.from("Comment\0the same, but another file", "latin1"));
  return {
    name: "other.png",
    mimeType: "image/png",
    buffer: Buffer.concat([png.subarray(0, end), note, png.subarray(end)]),
  };
}

/** What calls itself a picture and is none. @returns {Upload} */
export function notAPicture() {
  return {
    name: "not-a-picture.png",
    mimeType: "image/png",
    buffer: Buffer.from("these are words, not pixels\n".repeat(40)),
  };
}

/** A picture without a face: an even grey. @returns {Upload} */
export function noFace() {
  const size = 256;
  const rows = Buffer.alloc(size * (1 + size * 3), 128);
  for (let y = 0; y < size; y += 1) rows[y * (1 + size * 3)] = 0;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const buffer = Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
  return { name: "noface.png", mimeType: "image/png", buffer };
}

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
