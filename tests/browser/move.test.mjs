/**
 * A live session moves: a real browser watches while workers are drained, and while everything is killed.
 *
 * `MOVES=30 node --test move.test.mjs` measures as many moves and prints the percentiles of the gap in what is shown.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { folder, freePort, launch, letIn, newPage, SPEECH, up } from "./harness.mjs";
import { longSpeech } from "./inputs.mjs";

/** @typedef {import("playwright-core").Page} Page */

const MOVES = Number(process.env.MOVES ?? 3);
const SETTINGS = { WORKER__MEASURE: "false" };
const MICROPHONE = [
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  `--use-file-for-fake-audio-capture=${SPEECH}`,
];

/**
 * @param {(page: Page, program: import("./harness.mjs").Program, again: () => Promise<void>) => Promise<void>} body `again`
 *   kills the program and starts it anew at the same place
 */
async function visit(body) {
  const data = await folder();
  const port = await freePort();
  let program = await up(data.path, port, SETTINGS);
  const browser = await launch(MICROPHONE);
  try {
    await letIn(browser, program);
    const { page, wrongs } = await newPage(browser);
    await page.addInitScript(watch);
    await page.goto(program.url);
    await body(page, program, async () => {
      await program.kill();
      program = await up(data.path, port, SETTINGS);
    });
    assert.deepEqual(wrongs, [], "nothing went wrong in the page");
  } finally {
    await browser.close();
    await program.stop();
    await data.remove();
  }
}

/** Notes in the page when frames are shown, and which connections are made. */
function watch() {
  const shown = /** @type {number[]} */ ([]);
  const peers = /** @type {RTCPeerConnection[]} */ ([]);
  Object.assign(window, { shown, peers });
  const Real = RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    /** @param {RTCConfiguration} [config] */
    constructor(config) {
      super(config);
      peers.push(this);
    }
  };
  const look = () => {
    const video = /** @type {HTMLVideoElement|null} */ (document.querySelector(".live-face video"));
    if (video === null) return void setTimeout(look, 20);
    const note = () => {
      shown.push(performance.now());
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
  };
  look();
}

/** The longest time without a new picture since `from`, ms. @param {Page} page @param {number} from */
const gapSince = (page, from) =>
  page.evaluate((from) => {
    const shown = /** @type {number[]} */ (Reflect.get(window, "shown"));
    const first = shown.findLastIndex((at) => at <= from);
    const since = shown.slice(Math.max(first, 0));
    return Math.max(...since.slice(1).map((at, n) => at - (since[n] ?? at)));
  }, from);

/** @param {Page} page @returns {Promise<number>} its clock, ms */
const clock = (page) => page.evaluate(() => performance.now());

/** @param {Page} page @param {number} count waits until so many more frames were shown */
async function frames(page, count) {
  const before = await page.evaluate(() => Reflect.get(window, "shown").length);
  await page.waitForFunction((wanted) => Reflect.get(window, "shown").length >= wanted, before + count);
}

/** @param {Page} page @param {string|RegExp} word */
const state = (page, word) => page.locator(".talk-words .state-word").filter({ hasText: word }).waitFor();

/** @param {Page} page @param {string} url @returns {Promise<any>} the session that is open */
async function session(page, url) {
  const { sessions } = await (await page.request.get(`${url}/v1/sessions`)).json();
  return sessions.find((/** @type {any} */ s) => s.state !== "ended");
}

/** Waits until the open session runs under another placement, shown by a connection of its own. @param {Page} page @param {string} url @param {any} before @param {number} peers */
async function moved(page, url, before, peers) {
  for (const end = Date.now() + 60_000; ;) {
    const now = await session(page, url);
    const open = await page.evaluate(() => {
      const all = /** @type {RTCPeerConnection[]} */ (Reflect.get(window, "peers"));
      return { made: all.length, live: all.filter((peer) => peer.connectionState === "connected").length };
    });
    if (now?.state === "live" && now.fence > before.fence && open.made > peers && open.live === 1) return now;
    assert.ok(Date.now() < end, `it did not move: ${JSON.stringify({ now, open })}`);
    await page.waitForTimeout(50);
  }
}

/** @param {number[]} values @param {number} share 0..1 */
const percentile = (values, share) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.ceil(values.length * share) - 1)] ?? Number.NaN;

test("a session moves away from a worker that is drained, and the picture goes on", async (t) => {
  await visit(async (page, { url }) => {
    await page.getByRole("button", { name: "Talk Space" }).click();
    await state(page, "Talking");
    await frames(page, 50);
    const words = page.locator(".talk-words .state-word");
    await words.evaluate((word) => {
      const seen = /** @type {string[]} */ ([]);
      Object.assign(window, { seen });
      new MutationObserver(() => seen.push(word.textContent ?? "")).observe(word, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
    const [before, gaps] = [await clock(page), /** @type {number[]} */ ([])];
    await frames(page, 50);
    const calm = await gapSince(page, before);
    for (let n = 0; n < MOVES; n += 1) {
      const now = await session(page, url);
      const [from, peers] = [await clock(page), await page.evaluate(() => Reflect.get(window, "peers").length)];
      const drained = await page.request.post(`${url}/v1/workers/${now.worker}/drain`, { headers: { origin: url } });
      assert.equal(drained.status(), 202);
      const after = await moved(page, url, now, peers);
      assert.notEqual(after.worker, now.worker);
      await frames(page, 25);
      gaps.push(await gapSince(page, from));
    }
    const [p50, p95, most] = [percentile(gaps, 0.5), percentile(gaps, 0.95), Math.max(...gaps)];
    const figures = `gap of the picture in ${gaps.length} moves: p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, most ${most.toFixed(0)} ms`;
    t.diagnostic(`${figures}; without a move ${calm.toFixed(0)} ms in 2 s`);
    const seen = await page.evaluate(() => /** @type {string[]} */ (Reflect.get(window, "seen")));
    assert.deepEqual(
      seen.filter((word) => /connect/i.test(word)),
      [],
      "the page never said that it connects",
    );
    // The microphone has come along.
    await state(page, "Talking");
    assert.equal((await session(page, url)).fence, MOVES + 1);
  });
});

test("after everything was killed the page shows the session again, by itself", async () => {
  await visit(async (page, { url }, again) => {
    await page.setInputFiles("#speech", longSpeech(8));
    await state(page, "Talking");
    await frames(page, 25);
    const before = await session(page, url);
    const peers = await page.evaluate(() => Reflect.get(window, "peers").length);
    await again();
    const after = await moved(page, url, before, peers);
    assert.equal(after.id, before.id);
    await frames(page, 25);
    await state(page, /Talking|Silent/);
  });
});
