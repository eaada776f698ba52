/** Studio: the first visit, a render from upload to playing video, and what happens when it goes wrong. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { assertAccessible, assertNoOverflow } from "./axe.mjs";
import { PATIENCE, PORTRAIT, SPEECH, inAllLooks, newPage, shoot, stage, tabTo } from "./harness.mjs";
import { longSpeech, noFace, notAPicture, otherPortrait } from "./inputs.mjs";

/** @typedef {import("playwright-core").Page} Page */

const the = stage();

/** @param {(page: Page) => Promise<void>} body @param {import("playwright-core").BrowserContextOptions} [options] */
async function visit(body, options) {
  const { page, context, wrongs } = await newPage(the.browser, options);
  await page.goto(`${the.program.url}/studio#video`);
  await page.getByRole("button", { name: "Try the sample" }).waitFor();
  await body(page);
  await context.close();
  assert.deepEqual(wrongs, [], "nothing went wrong in the page");
}

/** The stage's video plays: time goes on, and there are pictures. @param {Page} page */
async function assertPlays(page) {
  await page.waitForFunction(
    () => {
      const video = /** @type {HTMLVideoElement|null} */ (document.querySelector(".stage video[controls]"));
      return video !== null && video.currentTime > 0.2 && video.videoWidth > 0 && !video.loop;
    },
    null,
    { timeout: PATIENCE },
  );
}

/** @param {Page} page @param {RegExp} sentence */
async function assertFailure(page, sentence) {
  const alert = page.getByRole("alert").filter({ hasText: sentence }).first();
  await alert.waitFor();
  assert.match(await alert.innerText(), /Request \S{4,}/, "the request id is shown");
}

const render = (/** @type {Page} */ page) => page.getByRole("button", { name: "Render", exact: true }).click();

test("the first visit is empty, whole at both widths, and accessible", async () => {
  await visit(async (page) => {
    await page.getByText("What you render is listed here.").waitFor();
    assert.equal(await page.locator(".tile-place").count(), 0, "no face yet");
    await inAllLooks(page, "studio-empty", async (label) => {
      await assertNoOverflow(page, label);
      await assertAccessible(page, label);
    });
  });
});

test("one press makes the sample talk", async () => {
  await visit(async (page) => {
    await page.getByRole("button", { name: "Try the sample" }).click();
    await assertPlays(page);
    await page.getByText("Length").waitFor();
    assert.equal(await page.locator(".recent-entry").count(), 1);
    await inAllLooks(page, "studio-done", (label) => assertNoOverflow(page, label));
    await page.reload();
    await page.locator(".recent-entry").getByText("Done").waitFor();
  });
});

test("upload, progress in words, the video plays, the download is an MP4", async () => {
  await visit(async (page) => {
    await page.setInputFiles("#portrait", PORTRAIT);
    await page.setInputFiles("#speech", longSpeech(4));
    await page.evaluate(() => {
      const seen = new Set();
      Reflect.set(window, "seen", seen);
      const note = () => seen.add(document.querySelector(".under")?.textContent ?? "");
      new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await render(page);
    await page
      .locator(".progress .state-word")
      .filter({ hasText: /Waiting|starting|Analysing|Rendering/ })
      .first()
      .waitFor();
    await inAllLooks(page, "studio-busy", (label) => assertNoOverflow(page, label));
    await assertPlays(page);
    const seen = /** @type {string[]} */ (await page.evaluate(() => [...Reflect.get(window, "seen")]));
    assert.ok(
      seen.some((words) => /Uploading\s*\d+%/.test(words)),
      `an upload's percentage among ${seen.join(" | ")}`,
    );
    assert.ok(
      seen.some((words) => /Rendering\s*\d+%/.test(words)),
      `a render's percentage among ${seen.join(" | ")}`,
    );

    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download" }).click(),
    ]);
    const file = await readFile(await download.path());
    assert.equal(file.toString("latin1", 4, 8), "ftyp");
    assert.ok(file.length > 20_000, `${file.length} bytes`);
    assert.match(download.suggestedFilename(), /\.mp4$/);
  });
});

test("the options that were chosen are the session's", async () => {
  await visit(async (page) => {
    await page.setInputFiles("#portrait", PORTRAIT);
    await page.setInputFiles("#speech", SPEECH);
    await page.getByText("Options", { exact: true }).click();
    await page.getByLabel("Frames a second").selectOption("30");
    await page.getByLabel("Size, longer side").selectOption("256");
    await page.getByLabel("Seed").fill("7");
    await page.getByLabel("Shown").selectOption("head");
    await page.getByLabel("Expression").selectOption("friendly");
    await page.getByLabel("Movement").selectOption("60");
    await page.getByLabel("Lids blink").uncheck();
    const [answer] = await Promise.all([page.waitForResponse((r) => r.url().endsWith("/v1/renders")), render(page)]);
    const { options } = await answer.json();
    assert.deepEqual(
      [options.fps, options.size, options.seed, options.blinks, options.head],
      [30, 256, 7, false, true],
    );
    assert.deepEqual(
      [options.crop, options.expression, options.motion, options.size_up_to],
      ["head", "friendly", 60, null],
    );
    await assertPlays(page);
  });
});

test("what is no picture is refused with a sentence and the request id", async () => {
  await visit(async (page) => {
    await page.setInputFiles("#portrait", notAPicture());
    await page.setInputFiles("#speech", SPEECH);
    await render(page);
    await assertFailure(page, /portrait/i);
    await inAllLooks(page, "studio-refused", async (label) => {
      await assertNoOverflow(page, label);
      await assertAccessible(page, label);
    });
  });
});

test("a picture without a face fails with its reason, on the stage and in the list", async () => {
  await visit(async (page) => {
    await page.setInputFiles("#portrait", noFace());
    await page.setInputFiles("#speech", SPEECH);
    await render(page);
    await assertFailure(page, /face/i);
    await page.locator(".recent-why").filter({ hasText: /face/i }).first().waitFor();
    await inAllLooks(page, "studio-failing", async (label) => {
      await assertNoOverflow(page, label);
      await assertAccessible(page, label);
    });
  });
});

test("Escape cancels a render, and it can be rendered again", async () => {
  await visit(async (page) => {
    await page.setInputFiles("#portrait", PORTRAIT);
    await page.setInputFiles("#speech", longSpeech(20));
    await render(page);
    await page
      .locator(".progress .state-word")
      .filter({ hasText: /Waiting|starting|Analysing|Rendering/ })
      .first()
      .waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".under").getByText("Cancelled").waitFor();
    await page.locator(".recent-entry").first().getByText("Cancelled").waitFor();
    await page.locator(".under").getByRole("button", { name: "Render again" }).click();
    await page
      .locator(".progress .state-word")
      .filter({ hasText: /Waiting|starting|Analysing|Rendering/ })
      .first()
      .waitFor();
    await page.locator(".progress").getByRole("button", { name: "Cancel" }).click();
    await page.locator(".under").getByText("Cancelled").waitFor();
  });
});

test("a face is added, chosen, rendered with, and deleted after one question", async () => {
  await visit(async (page) => {
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByLabel("Name", { exact: true }).fill("Test face");
    await page.setInputFiles("#avatar-file", otherPortrait());
    const tile = page.getByRole("button", { name: "Test face ready" });
    await tile.waitFor();
    await tile.click();
    assert.equal(await tile.getAttribute("aria-pressed"), "true");
    await page.setInputFiles("#speech", SPEECH);
    await render(page);
    await assertPlays(page);
    const faces = await page.locator(".tile-place").count();
    await page
      .getByRole("button", { name: /^Delete / })
      .first()
      .click();
    await page.getByRole("button", { name: "Keep it" }).click();
    assert.equal(await page.locator(".tile-place").count(), faces, "keeping keeps");
    await page
      .getByRole("button", { name: /^Delete / })
      .first()
      .click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.waitForFunction((n) => document.querySelectorAll(".tile-place").length === n - 1, faces);
  });
});

test("a face that comes with the page is added and chosen with one press", async () => {
  await visit(async (page) => {
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await shoot(page, "studio-add");
    await page.getByRole("button", { name: "Astronaut", exact: true }).click();
    // Whoever added the same picture before named it.
    await page.locator(".tile.ready[aria-pressed=true]").waitFor();
    await page.getByRole("form", { name: "Add a face" }).waitFor({ state: "detached" });
  });
});

test("a face that cannot be fetched says why", async () => {
  await visit(async (page) => {
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("textbox", { name: "Address" }).fill("http://127.0.0.1:1/face.png");
    await page.getByRole("form", { name: "Add a face" }).getByRole("button", { name: "Add", exact: true }).click();
    await assertFailure(page, /address|url/i);
    await shoot(page, "studio-add-refused");
    await page.keyboard.press("Escape");
  });
});

test("the sample talks by keyboard alone, and focus is always visible", async () => {
  await visit(async (page) => {
    await tabTo(page, ".skip");
    await tabTo(page, ".nav a[aria-current=page]");
    await tabTo(page, ".invitation .button");
    const outline = await page.evaluate(
      () => getComputedStyle(/** @type {Element} */ (document.activeElement)).outlineStyle,
    );
    assert.notEqual(outline, "none");
    await page.keyboard.press("Enter");
    await assertPlays(page);
    await tabTo(page, ".facts a.button");
    await tabTo(page, "summary");
    await page.keyboard.press("Enter");
    await tabTo(page, "select[name=fps]");
    await page.keyboard.press("ArrowDown");
    await page.getByText("30 fps").first().waitFor();
    await tabTo(page, ".recent-open");
    await tabTo(page, ".nav a[href='farm']", "Shift+Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Farm" }).waitFor();
  });
});

test("less motion is respected: the video waits for a press", async () => {
  await visit(
    async (page) => {
      await page.getByRole("button", { name: "Try the sample" }).click();
      const video = page.locator(".stage video[controls]");
      await video.waitFor();
      await page.waitForFunction(
        () => /** @type {HTMLVideoElement} */ (document.querySelector(".stage video[controls]")).readyState >= 2,
      );
      assert.equal(await video.evaluate((v) => /** @type {HTMLVideoElement} */ (v).paused), true);
    },
    { reducedMotion: "reduce" },
  );
});
