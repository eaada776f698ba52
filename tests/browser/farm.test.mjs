/** Farm, Cost, signing in, and a connection that is lost. */
import assert from "node:assert/strict";
import test from "node:test";
import { assertAccessible, assertNoOverflow } from "./axe.mjs";
import { ELSEWHERE, PATIENCE, PORTRAIT, inAllLooks, newPage, shoot, stage, up } from "./harness.mjs";
import { longSpeech } from "./inputs.mjs";

/** @typedef {import("playwright-core").Page} Page */

const the = stage();

/** @param {string} path @param {(page: Page) => Promise<void>} body */
async function visit(path, body) {
  const { page, context, wrongs } = await newPage(the.browser);
  await page.goto(the.program.url + path);
  await body(page);
  await context.close();
  assert.deepEqual(wrongs, [], "nothing went wrong in the page");
}

/** @param {Page} page @param {number} times the sample's length */
async function startRender(page, times) {
  await page.getByRole("link", { name: "Studio" }).click();
  await page.getByRole("button", { name: "Make a video" }).click();
  await page.setInputFiles("#portrait", PORTRAIT);
  await page.setInputFiles("#speech", longSpeech(times));
  await page.getByRole("button", { name: "Render", exact: true }).click();
  await page
    .locator(".progress .state-word")
    .filter({ hasText: /Waiting|starting|Analysing|Rendering/ })
    .first()
    .waitFor();
}

/** @param {Page} page */
const looks = (page) => async (/** @type {string} */ label) => {
  await assertNoOverflow(page, label);
  await assertAccessible(page, label);
};

test("an idle farm shows its worker and its free slots", async () => {
  await visit("/farm", async (page) => {
    const worker = page.locator(".worker").first();
    await worker.getByText("Idle").waitFor();
    assert.ok((await worker.getByText("Free").count()) >= 1);
    await page.getByText("nobody waits").waitFor();
    await page.getByText("No session is open.").waitFor();
    await inAllLooks(page, "farm-empty", looks(page));
  });
});

test("the cost of nothing is said calmly", async () => {
  await visit("/cost", async (page) => {
    await page.getByRole("heading", { name: "What did a delivered minute cost?" }).waitFor();
    await inAllLooks(page, "cost-empty", looks(page));
  });
});

test("a running session is seen in its slot and in the table, and is cancelled from there", async () => {
  await visit("/", async (page) => {
    await startRender(page, 24);
    await page.getByRole("link", { name: "Farm" }).click();
    await page.locator(".slot .meter").first().waitFor();
    await page.locator(".worker").first().getByText("Busy").waitFor();
    await inAllLooks(page, "farm-busy", looks(page));
    await page
      .getByRole("button", { name: /^Cancel ses_/ })
      .first()
      .click();
    await page.getByText("No session is open.").waitFor();
    await page.getByRole("button", { name: "Ended" }).click();
    await page.locator(".sessions tbody tr").first().getByText("Cancelled").waitFor();
    await inAllLooks(page, "farm-ended", looks(page));
  });
});

test("cost answers its three questions after a render, and gives a CSV", async () => {
  await visit("/", async (page) => {
    await startRender(page, 1);
    await page.getByRole("link", { name: "Download" }).waitFor();
    // Usage is booked in steps: the report is asked again until it has arrived.
    const delivered = page.getByText(/min delivered in \d+ session/);
    const until = Date.now() + PATIENCE;
    for (;;) {
      await page.goto(`${the.program.url}/cost`);
      await page.getByRole("heading", { name: "Where did it go?" }).waitFor();
      if ((await delivered.count()) > 0) break;
      assert.ok(Date.now() < until, "the delivered minutes are never reported");
    }
    for (const figure of await page.locator(".answer-figure").allInnerTexts())
      assert.match(figure, /\$\d|Unpriced|\d%/);
    await page.locator("cost-chart svg .tick").first().waitFor();
    assert.ok((await page.locator("cost-chart .bar, cost-chart .dot").count()) > 0, "the chart has marks");
    await inAllLooks(page, "cost", looks(page));

    await page.locator("cost-chart svg").focus();
    await page.keyboard.press("ArrowLeft");
    await page
      .locator(".readout")
      .filter({ hasText: /min delivered/ })
      .waitFor();

    for (const [button, heading] of [
      ["Key", "By key"],
      ["Kind", "By kind"],
      ["Instance type", "By instance type"],
    ]) {
      await page.getByRole("button", { name: button ?? "", exact: true }).click();
      await page.getByRole("heading", { name: heading ?? "" }).waitFor();
      await page.locator(".split tbody tr").first().waitFor();
    }
    for (const period of ["7 days", "30 days", "Custom"]) {
      const [answer] = await Promise.all([
        page.waitForResponse((r) => r.url().includes("/v1/reports/cost")),
        page.getByRole("button", { name: period }).click(),
      ]);
      assert.equal(answer.status(), 200, period);
    }
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "CSV" }).click(),
    ]);
    const stream = await download.createReadStream();
    let text = "";
    for await (const chunk of stream) text += chunk;
    assert.match(text.split("\n")[0] ?? "", /delivered_minutes/);
  });
});

test("without a link and a cookie the page asks for a key, refuses a wrong one, takes the printed one", async () => {
  const { page, context, wrongs } = await newPage(the.browser, { stranger: true });
  await page.goto(`${the.program.url.replace("127.0.0.1", ELSEWHERE)}/farm`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await inAllLooks(page, "signin", looks(page));
  await page.getByLabel("Key").fill("mp_wrong");
  await page.keyboard.press("Enter");
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.match(await alert.innerText(), /Request \S{4,}/);
  await shoot(page, "signin-refused");
  const key = /\bmp_[A-Za-z0-9_-]{8,}/.exec(the.program.output());
  assert.ok(key, "`up` prints the first key");
  await page.getByLabel("Key").fill(key[0]);
  await page.keyboard.press("Enter");
  await page.locator(".worker").first().waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await context.close();
  assert.deepEqual(wrongs, []);
});

test("a lost connection is shown, and mends itself when the program is back", async () => {
  await visit("/farm", async (page) => {
    await page.locator(".worker").first().waitFor();
    const { port } = new URL(the.program.url);
    await the.program.stop();
    await page.getByText("Connection lost, trying again").waitFor();
    await inAllLooks(page, "farm-lost", (label) => assertNoOverflow(page, label));
    the.program = await up(the.data.path, Number(port));
    await page.getByText("Live", { exact: true }).waitFor();
    await page.locator(".worker").filter({ hasText: "Idle" }).first().waitFor();
  });
});

test("draining asks once and shows what moves", async () => {
  await visit("/", async (page) => {
    await startRender(page, 24);
    await page.getByRole("link", { name: "Farm" }).click();
    await page.locator(".worker").filter({ hasText: "Busy" }).first().waitFor();
    const drain = page.getByRole("button", { name: /^Drain / });
    await drain.first().click();
    const asked = page.getByRole("group", { name: /^Drain / });
    await asked.locator(".moves li").first().waitFor();
    await inAllLooks(page, "farm-drain", looks(page));
    await page.keyboard.press("Escape");
    await asked.waitFor({ state: "detached" });
    assert.equal(await page.locator(".worker.draining").count(), 0, "nothing was drained");
    await drain.first().click();
    const [answer] = await Promise.all([
      page.waitForResponse((r) => r.url().endsWith("/drain")),
      asked.getByRole("button", { name: "Drain", exact: true }).click(),
    ]);
    assert.equal(answer.status(), 202);
    assert.equal((await answer.json()).moving.length, 1);
    await page.getByText(/^Draining .*: 1 session finishes first/).waitFor();
    await shoot(page, "farm-draining");
  });
});
