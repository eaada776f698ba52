/** Talking live: a real browser, its fake microphone, and what comes through. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { assertAccessible, assertNoOverflow } from "./axe.mjs";
import { PORTRAIT, SPEECH, binary, folder, inAllLooks, letIn, newPage, shoot, stage, tabTo, up } from "./harness.mjs";
import { longSpeech, upsideDown } from "./inputs.mjs";

/** @typedef {import("playwright-core").Page} Page */

const run = promisify(execFile);

const MICROPHONE = [
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  `--use-file-for-fake-audio-capture=${SPEECH}`,
];
// A worker that is drained lets go at once.
const the = stage({ settings: { WORKER__DRAIN_TIMEOUT: "100ms" }, flags: MICROPHONE });

/**
 * @param {(page: Page) => Promise<void>} body
 * @param {{url?: string, options?: import("playwright-core").BrowserContextOptions}} [more]
 */
async function visit(body, { url = the.program.url, options } = {}) {
  const { page, context, wrongs } = await newPage(the.browser, options);
  await page.addInitScript(() => {
    const peers = /** @type {RTCPeerConnection[]} */ ([]);
    Reflect.set(window, "peers", peers);
    const Real = RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
      /** @param {RTCConfiguration} [config] */
      constructor(config) {
        super(config);
        peers.push(this);
      }
    };
  });
  try {
    await page.goto(url);
    await page.getByRole("button", { name: "Play the sample" }).waitFor();
    await body(page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Play the sample" }).waitFor();
    assert.deepEqual(wrongs, [], "nothing went wrong in the page");
  } finally {
    // What was begun is ended, also when the test failed: the next one finds its slot.
    await page.close();
    await free(page, url);
    await context.close();
  }
}

/**
 * Ends what still runs, and waits until it has.
 *
 * @param {Page} page
 * @param {string} url
 */
async function free(page, url) {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    const { sessions } = await (await page.context().request.get(`${url}/v1/sessions`)).json();
    const open = sessions.filter((/** @type {any} */ s) => s.state !== "ended");
    if (open.length === 0) return;
    for (const { id } of open) await page.context().request.delete(`${url}/v1/sessions/${id}`);
    await new Promise((next) => setTimeout(next, 100));
  }
}

/**
 * What the last connection's statistics say.
 *
 * @param {Page} page
 * @returns {Promise<{video: any, audio: any}>}
 */
const received = (page) =>
  page.evaluate(async () => {
    const peers = /** @type {RTCPeerConnection[]} */ (Reflect.get(window, "peers"));
    const stats = [.../** @type {any} */ (await peers.at(-1)?.getStats())?.values()];
    const of = (/** @type {string} */ kind) => stats.find((r) => r.type === "inbound-rtp" && r.kind === kind);
    return { video: of("video"), audio: of("audio") };
  });

/**
 * @param {Page} page
 * @param {(now: {video: any, audio: any}) => boolean} holds
 * @param {string} what
 */
async function until(page, holds, what) {
  for (const end = Date.now() + 60_000; ;) {
    const now = await received(page);
    if (holds(now)) return now;
    assert.ok(Date.now() < end, `it never was: ${what}; last ${JSON.stringify(now)}`);
    await page.waitForTimeout(100);
  }
}

/** @param {Page} page @param {string|RegExp} word */
const state = (page, word) => page.locator(".talk-words .state-word").filter({ hasText: word }).waitFor();

/** @param {Page} page */
const sampleButton = (page) =>
  page.getByRole("group", { name: "Talking" }).getByRole("button", { name: "Sample", exact: true });

/** @param {Page} page */
const looks = (page) => async (/** @type {string} */ label) => {
  await assertNoOverflow(page, label);
  await assertAccessible(page, label);
};

/** How much the picture is ahead of the sound as they are played, ms. @param {{video: any, audio: any}} now */
const ahead = ({ video, audio }) =>
  video?.estimatedPlayoutTimestamp && audio?.estimatedPlayoutTimestamp
    ? video.estimatedPlayoutTimestamp - audio.estimatedPlayoutTimestamp
    : Number.NaN;

/** Waits until the browser plays both tracks together: it takes some seconds to bring them there. @param {Page} page */
const joined = (page) => until(page, (now) => Math.abs(ahead(now)) <= 40, "both tracks within 40 ms");

/** They are together: the median of two seconds, as a single reading may fall between two reports. @param {Page} page */
async function assertInStep(page) {
  const skews = [];
  for (let n = 0; n < 9; n++) {
    skews.push(ahead(await received(page)));
    await page.waitForTimeout(250);
  }
  const skew = skews.sort((a, b) => a - b)[4] ?? Number.NaN;
  console.log(`picture ahead of sound: ${skew.toFixed(1)} ms`);
  assert.ok(Math.abs(skew) <= 40, `${skew} ms apart`);
}

/**
 * Records what the page receives and has the program's own eye look at it.
 *
 * @param {Page} page
 * @param {number} ms
 * @param {string} name
 */
async function evaluated(page, ms, name) {
  const bytes = await page.evaluate(async (ms) => {
    const video = /** @type {HTMLVideoElement} */ (document.querySelector(".live-face video"));
    const recorder = new MediaRecorder(/** @type {MediaStream} */ (video.srcObject), {
      mimeType: "video/webm;codecs=vp8,opus",
      videoBitsPerSecond: 4_000_000,
    });
    /** @type {Blob[]} */
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const stopped = new Promise((done) => (recorder.onstop = done));
    recorder.start();
    await new Promise((done) => setTimeout(done, ms));
    recorder.stop();
    await stopped;
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
  }, ms);
  const made = await folder();
  const folderOf = process.env.MOUTHPIECE_SHOTS ?? made.path;
  const file = path.join(folderOf, `${name}.webm`);
  await writeFile(file, Buffer.from(bytes));
  const { stdout } = await run(binary(), ["eval", file, "--portrait", PORTRAIT, "--json"]);
  await made.remove();
  return JSON.parse(stdout);
}

/**
 * The lips follow the sound. That they are never late is all that Chromium's recordings show of the offset: it records the
 * sound of any connection late against the picture (a flash and a beep from this page to itself: 56 ms more than without a
 * connection, on an idle machine), and later on a busy one. Playout times show the rest.
 *
 * @param {any} report
 */
function assertFollows(report) {
  const { correlation, best_offset_ms: offset } = report.lips_and_sound.with_pauses;
  console.log(`lips and sound: correlation ${correlation}, offset ${offset} ms`);
  assert.ok(correlation > 0.5, `correlation ${correlation}`);
  assert.ok(offset <= 40, `offset ${offset} ms`);
}

test("the first visit invites to talk, and asks for no microphone", async () => {
  await visit(async (page) => {
    await page.getByText("Your browser will ask for the microphone.").waitFor();
    assert.equal(await page.evaluate(() => Reflect.get(window, "peers").length), 0);
    await tabTo(page, ".modes [aria-pressed=true]");
    await tabTo(page, ".invitation .primary");
    await inAllLooks(page, "talk-idle", looks(page));
  });
});

test("one press makes the sample talk live: 25 frames a second, lips on the voice, both tracks in step", async () => {
  await visit(async (page) => {
    await page.getByRole("button", { name: "Play the sample" }).click();
    await state(page, "Talking");
    await joined(page);
    await page.getByRole("button", { name: "Hush" }).click();
    await sampleButton(page).click();
    await state(page, "Talking");
    const before = await received(page);
    const report = await evaluated(page, 11_000, "sample-live");
    const { video } = await received(page);
    const seconds = (video.timestamp - before.video.timestamp) / 1000;
    const fps = (video.framesDecoded - before.video.framesDecoded) / seconds;
    console.log(`${fps.toFixed(2)} frames a second, ${video.framesDropped} dropped`);
    assert.ok(Math.abs(fps - 25) < 1, `${fps} frames a second`);
    assertFollows(report);
    await assertInStep(page);
  });
});

test("talking: what the microphone hears, the face says, and it is silent here", async () => {
  await visit(async (page) => {
    await page.getByRole("button", { name: "Talk Space" }).click();
    await state(page, /Talking|Listening/);
    assert.equal(
      await page.locator(".live-face video").evaluate((v) => /** @type {HTMLVideoElement} */ (v).muted),
      true,
    );
    await state(page, "Talking");
    await joined(page);
    assertFollows(await evaluated(page, 12_000, "microphone-live"));
    await assertInStep(page);
    await page.locator(".stage-bar").waitFor();
    await page.locator(".strip-figures").getByText(/p99/).waitFor();
    await inAllLooks(page, "talk-talking", looks(page));
    // The key is the button.
    await page.locator("body").click({ position: { x: 2, y: 400 } });
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Talk Space" }).waitFor();
    await state(page, "Silent");
    await page.getByRole("button", { name: "Hear the face" }).click();
    assert.equal(
      await page.locator(".live-face video").evaluate((v) => /** @type {HTMLVideoElement} */ (v).muted),
      false,
    );
  });
});

test("a recording that is dropped is said, and hushed at once", async () => {
  await visit(async (page) => {
    await page.setInputFiles("#speech", longSpeech(3));
    await state(page, "Talking");
    await page.locator(".talk-words").getByText("long.wav").waitFor();
    await until(page, ({ audio }) => audio.audioLevel > 0.01, "a voice");
    await page.getByRole("button", { name: "Hush" }).click();
    await state(page, "Silent");
    await until(page, ({ audio }) => audio.audioLevel < 0.001, "silence");
    await page.getByRole("button", { name: "Say it" }).click();
    await state(page, "Talking");
    await inAllLooks(page, "talk-file", looks(page));
  });
});

test("a voice that is upside down in one channel is said all the same", async () => {
  await visit(async (page) => {
    await page.setInputFiles("#speech", upsideDown());
    await state(page, "Talking");
    await until(page, ({ audio }) => audio.audioLevel > 0.01, "a voice");
  });
});

test("it goes on while one looks at the farm, which shows it, and Escape ends it", async () => {
  await visit(async (page) => {
    await page.setInputFiles("#speech", longSpeech(6));
    await state(page, "Talking");
    await page.getByRole("link", { name: "Farm" }).click();
    await page.locator(".slot").getByText("live ·").waitFor();
    await page.locator(".sessions tbody tr").first().getByText("Live").first().waitFor();
    await inAllLooks(page, "farm-live", looks(page));
    await page.getByRole("link", { name: "Studio" }).click();
    await state(page, "Talking");
    const before = await page
      .locator(".live-face video")
      .evaluate((v) => /** @type {HTMLVideoElement} */ (v).currentTime);
    await page.waitForFunction(
      (t) => /** @type {HTMLVideoElement} */ (document.querySelector(".live-face video")).currentTime > t + 0.5,
      before,
    );
    await page.keyboard.press("Escape");
    await page.locator(".talk-ended").getByText("Ended", { exact: true }).waitFor();
    await shoot(page, "talk-ended");
  });
});

test("when its worker is drained, the face comes back from the next one", async () => {
  await visit(async (page) => {
    await page.setInputFiles("#speech", longSpeech(8));
    await state(page, "Talking");
    const { workers } = await (await page.request.get(`${the.program.url}/v1/workers`)).json();
    const busy = workers.find((/** @type {any} */ w) => w.slots.some((/** @type {any} */ s) => s.session));
    const drained = await page.request.post(`${the.program.url}/v1/workers/${busy.id}/drain`, {
      headers: { origin: the.program.url },
    });
    assert.equal(drained.status(), 202);
    // "Reconnecting" may be over before one looks: the next worker is there in half a second.
    await page.waitForFunction(() => Reflect.get(window, "peers").length > 1);
    // What had not been sent yet is said by the next worker.
    await state(page, "Talking");
    await until(page, ({ video }) => video?.framesDecoded > 25, "frames of the next worker");
    await page.getByRole("button", { name: "Hush" }).click();
    await sampleButton(page).click();
    await state(page, "Talking");
  });
});

test("a path that breaks is mended by itself", async () => {
  await visit(async (page) => {
    await page.setInputFiles("#speech", longSpeech(8));
    await state(page, "Talking");
    const broken = await page.evaluate(() => {
      // What a changed network does: the browser's addresses are gone, the connection asks for new ones.
      const peers = /** @type {RTCPeerConnection[]} */ (Reflect.get(window, "peers"));
      const peer = /** @type {RTCPeerConnection} */ (peers[0]);
      Object.defineProperty(peer, "connectionState", { value: "failed", configurable: true });
      peer.dispatchEvent(new Event("connectionstatechange"));
      Reflect.deleteProperty(peer, "connectionState");
      return peer.localDescription?.sdp ?? "";
    });
    await page.waitForFunction((before) => {
      const peers = /** @type {RTCPeerConnection[]} */ (Reflect.get(window, "peers"));
      return peers[0]?.localDescription?.sdp.match(/ice-ufrag:(.*)/)?.[1] !== before.match(/ice-ufrag:(.*)/)?.[1];
    }, broken);
    await state(page, /Talking|Silent/);
    const { video } = await received(page);
    await until(page, (now) => now.video.framesDecoded > video.framesDecoded + 25, "frames after the restart");
    assert.equal(await page.evaluate(() => Reflect.get(window, "peers").length), 1, "the same connection");
  });
});

test("without a UDP path the failing step is named, and what to open", async () => {
  const data = await folder();
  const settings = { RTC__PUBLIC: "true", RTC__ADDRESSES: '["203.0.113.1"]', RTC__BIND: "127.0.0.1" };
  const program = await up(data.path, 0, settings);
  await letIn(the.browser, program);
  try {
    await visit(
      async (page) => {
        await page.getByRole("button", { name: "Play the sample" }).click();
        await state(page, "Finding a path");
        await shoot(page, "talk-finding");
        const alert = page.getByRole("alert").filter({ hasText: "no UDP path" });
        await alert.waitFor();
        assert.match(
          await alert.innerText(),
          /203\.0\.113\.1:\d+[^]*Open UDP port \d+ of 203\.0\.113\.1[^]*TURN server[^]*ICE[^]*Session ses_/,
        );
        await inAllLooks(page, "talk-failing", looks(page));
        // The same once more is the sample: it needs no microphone.
        await page.evaluate(() => {
          navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error("not asked for"));
        });
        await page.getByRole("button", { name: "Try again" }).click();
        await state(page, "Finding a path");
      },
      { url: program.url },
    );
  } finally {
    await program.stop();
    await data.remove();
  }
});

test("a microphone that is refused is told in words, and costs no slot", async () => {
  const { page, context, wrongs } = await newPage(the.browser);
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException("refused by the test", "NotAllowedError");
    };
  });
  await page.goto(the.program.url);
  await page.getByRole("button", { name: "Talk Space" }).click();
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.match(await alert.innerText(), /not allowed[^]*Allow it for this page/);
  await inAllLooks(page, "talk-refused", looks(page));
  await context.close();
  assert.deepEqual(wrongs, []);
});
