/** Recording one's own voice in the Studio, with a fake microphone that plays the sample. */
import assert from "node:assert/strict";
import test from "node:test";
import { assertAccessible, assertNoOverflow } from "./axe.mjs";
import { PATIENCE, PORTRAIT, SPEECH, inAllLooks, newPage, stage, tabTo } from "./harness.mjs";

/** @typedef {import("playwright-core").Page} Page */

const the = stage({
  flags: [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    `--use-file-for-fake-audio-capture=${SPEECH}`,
  ],
});

/** @param {(page: Page) => Promise<void>} body @param {{refused?: boolean, clock?: boolean}} [more] */
async function visit(body, { refused = false, clock = false } = {}) {
  const { page, context, wrongs } = await newPage(the.browser);
  if (clock) await page.clock.install();
  await page.addInitScript((refused) => {
    const tracks = /** @type {MediaStreamTrack[]} */ ([]);
    Reflect.set(window, "asked", 0);
    Reflect.set(window, "tracks", tracks);
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      Reflect.set(window, "asked", Reflect.get(window, "asked") + 1);
      if (refused) throw new DOMException("", "NotAllowedError");
      const stream = await real(wanted);
      tracks.push(...stream.getTracks());
      return stream;
    };
  }, refused);
  await page.goto(`${the.program.url}/studio#video`);
  await page.getByRole("button", { name: "Try the sample" }).waitFor();
  await body(page);
  await context.close();
  assert.deepEqual(wrongs, [], "nothing went wrong in the page");
}

const record = (/** @type {Page} */ page) => page.getByRole("button", { name: "Record", exact: true });
const asked = (/** @type {Page} */ page) => page.evaluate(() => Reflect.get(window, "asked"));

/** @param {Page} page */
async function assertMicrophoneIsClosed(page) {
  await page.waitForFunction(() =>
    Reflect.get(window, "tracks").every((/** @type {MediaStreamTrack} */ track) => track.readyState === "ended"),
  );
}

test("a press records, the next one chooses it, and the face says it", async () => {
  await visit(async (page) => {
    await page.getByText("Your browser will ask for the microphone.").waitFor();
    await inAllLooks(page, "studio-record", (label) => assertNoOverflow(page, label));
    assert.equal(await asked(page), 0, "nobody is asked before a press");
    await page.setInputFiles("#portrait", PORTRAIT);
    await record(page).focus();
    await page.keyboard.press("Enter");
    const group = page.getByRole("group", { name: "Recording" });
    await group.getByText(/0:0[1-9] of 10:00/).waitFor();
    assert.equal(await asked(page), 1);
    await inAllLooks(page, "studio-recording", async (label) => {
      await assertNoOverflow(page, label);
      await assertAccessible(page, label);
    });
    // Focus waits on what ends it.
    await group.getByRole("button", { name: "Stop" }).and(page.locator(":focus")).waitFor();
    await page.keyboard.press("Enter");
    await page.locator("audio.listen:focus").waitFor();
    await page.getByText(/^Recording \d\d\.\d\d\.webm$/).waitFor();
    await assertMicrophoneIsClosed(page);
    await inAllLooks(page, "studio-recorded", (label) => assertNoOverflow(page, label));
    await page.getByRole("button", { name: "Render", exact: true }).click();
    await page.waitForFunction(
      () => {
        const video = /** @type {HTMLVideoElement|null} */ (document.querySelector(".stage video[controls]"));
        return video !== null && video.currentTime > 0.2 && video.videoWidth > 0 && !video.loop;
      },
      null,
      { timeout: PATIENCE },
    );
  });
});

test("escape discards it, and a chosen recording may be recorded anew", async () => {
  await visit(async (page) => {
    await record(page).click();
    await page.getByRole("group", { name: "Recording" }).waitFor();
    await page.keyboard.press("Escape");
    await record(page).waitFor();
    await assertMicrophoneIsClosed(page);
    assert.equal(await page.locator("audio.listen").count(), 0);
    await record(page).click();
    await page.getByText(/0:0[1-9] of 10:00/).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Remove the recording" }).click();
    await record(page).waitFor();
    await tabTo(page, ".record button");
  });
});

test("who goes elsewhere is recorded no further", async () => {
  await visit(async (page) => {
    await record(page).click();
    await page.getByRole("group", { name: "Recording" }).waitFor();
    await page.getByRole("button", { name: "Talk live" }).click();
    await assertMicrophoneIsClosed(page);
    await page.getByRole("button", { name: "Make a video" }).click();
    await record(page).waitFor();
  });
});

test("a recording has an end", async () => {
  await visit(
    async (page) => {
      await record(page).click();
      // Something must have been said: a recording of nothing is none.
      await page.getByText(/0:0[1-9] of 10:00/).waitFor();
      await page.clock.fastForward(601_000);
      await page.locator("audio.listen").waitFor();
      await assertMicrophoneIsClosed(page);
    },
    { clock: true },
  );
});

test("a microphone that was not allowed is a sentence with a remedy", async () => {
  await visit(
    async (page) => {
      await record(page).click();
      const alert = page.getByRole("alert").filter({ hasText: "The microphone was not allowed." });
      await alert.waitFor();
      assert.match(await alert.innerText(), /address bar/);
      await inAllLooks(page, "studio-record-refused", async (label) => {
        await assertNoOverflow(page, label);
        await assertAccessible(page, label);
      });
      await alert.getByRole("button", { name: "Dismiss" }).click();
      await record(page).waitFor();
    },
    { refused: true },
  );
});
