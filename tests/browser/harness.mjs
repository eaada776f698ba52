/**
 * Starts the real program and a browser for the tests, and takes both down again.
 *
 * @import { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core"
 */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

/** The longest wait for anything, ms. */
export const PATIENCE = 120_000;
const ROOT = path.resolve(import.meta.dirname, "../..");
export const PORTRAIT = path.join(ROOT, "samples/portrait.png");
export const SPEECH = path.join(ROOT, "samples/speech.wav");

/** Another host name of this machine: cookies of its address are not sent there. */
export const ELSEWHERE = "farm.test";

/**
 * @typedef {object} Program
 * @property {string} url such as "http://127.0.0.1:41234"
 * @property {string} link the printed link that opens its page, once
 * @property {() => string} output all that it has printed
 * @property {() => Promise<void>} stop ends it, waits for its end
 * @property {() => Promise<void>} kill ends it without a word
 */

/**
 * Runs `mouthpiece up`.
 *
 * @param {string} data its folder
 * @param {number} [port] a free one if none is given
 * @param {Record<string, string>} [settings] by the names that the environment has for them, without MOUTHPIECE_
 * @returns {Promise<Program>} once it listens
 */
export async function up(data, port = 0, settings = {}) {
  const own = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`MOUTHPIECE_${name}`, value]));
  const child = spawn(binary(), ["up", "--port", String(port), "--data", data], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: data,
    env: { ...process.env, ...own },
  });
  let output = "";
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const link = await new Promise((resolve, reject) => {
    const fail = (/** @type {string} */ why) => reject(new Error(`${why}; it printed:\n${output}`));
    const timer = setTimeout(() => fail("mouthpiece up did not listen in time"), PATIENCE);
    child.once("error", (error) => fail(String(error)));
    child.once("exit", (code) => fail(`mouthpiece up ended with ${code}`));
    const read = (/** @type {Buffer} */ chunk) => {
      output += chunk;
      const found = /http:\/\/\S+#open=[\w-]+(?=\s)/.exec(output);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found[0]);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", (chunk) => (output += chunk));
  });
  return {
    url: new URL(link).origin,
    link,
    output: () => output,
    stop: async () => {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), PATIENCE / 2);
      await ended;
      clearTimeout(late);
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/**
 * The cookie of a page that the program's link has let in; the link is used up.
 *
 * @param {Program} program
 */
async function cookieOf({ url, link }) {
  const answer = await fetch(`${url}/v1/page/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: url },
    body: JSON.stringify({ link: link.split("#open=")[1] }),
  });
  const [name, value] = (answer.headers.get("set-cookie") ?? "").split(";", 1)[0]?.split("=") ?? [];
  if (!answer.ok || !name || !value) throw new Error(`the link lets nobody in: ${answer.status} ${await answer.text()}`);
  return { name, value, url };
}

/**
 * Lets a browser's pages in to a program.
 *
 * @param {Browser} browser
 * @param {Program} program
 */
export async function letIn(browser, program) {
  entered.set(browser, [...(entered.get(browser) ?? []), await cookieOf(program)]);
}

/** @type {WeakMap<Browser, {name: string, value: string, url: string}[]>} the cookies of a browser's new pages */
const entered = new WeakMap();

/** @returns {Promise<number>} a port that was free a moment ago */
export async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(undefined)));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address !== "object") throw new Error("no port is free");
  return address.port;
}

/** @returns {string} the program that is tested */
export function binary() {
  const binary = process.env.MOUTHPIECE_BIN;
  if (!binary) throw new Error("set MOUTHPIECE_BIN to the built program, such as target/release/mouthpiece");
  return path.resolve(binary);
}

/** @returns {Promise<{path: string, remove: () => Promise<void>}>} a new folder */
export async function folder() {
  const made = await mkdtemp(path.join(tmpdir(), "mouthpiece-page-"));
  return { path: made, remove: () => rm(made, { recursive: true, force: true, maxRetries: 5 }) };
}

/** @param {string[]} [more] flags @returns {Promise<Browser>} */
export function launch(more = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`,
      ...more,
    ],
  });
}

/**
 * @typedef {object} Stage
 * @property {Awaited<ReturnType<typeof folder>>} data
 * @property {Program} program
 * @property {import("playwright-core").Browser} browser
 */

/**
 * A program on an empty folder, and a browser: there when a file's tests begin, gone when they are done.
 *
 * @param {{settings?: Record<string, string>, flags?: string[]}} [more] of the program, and of the browser
 * @returns {Stage}
 */
export function stage({ settings, flags } = {}) {
  const the = /** @type {Stage} */ ({});
  before(async () => {
    the.data = await folder();
    // The cookie is named after the port: a program that is started again at the same one knows its pages.
    the.program = await up(the.data.path, await freePort(), settings);
    the.browser = await launch(flags);
    await letIn(the.browser, the.program);
  });
  after(async () => {
    await the.browser?.close();
    await the.program?.stop();
    await the.data?.remove();
  });
  return the;
}

/**
 * A page of its own context that collects what goes wrong in it: exceptions and what the content policy blocked. It is let in
 * where the browser's pages are, unless it is a stranger's.
 *
 * @param {Browser} browser
 * @param {BrowserContextOptions & {stranger?: boolean}} [options]
 * @returns {Promise<{page: Page, context: BrowserContext, wrongs: string[]}>}
 */
export async function newPage(browser, { stranger = false, ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    acceptDownloads: true,
    ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  if (!stranger) await context.addCookies(entered.get(browser) ?? []);
  const page = await context.newPage();
  /** @type {string[]} */
  const wrongs = [];
  page.on("pageerror", (error) => wrongs.push(String(error.stack)));
  page.on("console", (message) => {
    if (/Content.Security.Policy/i.test(message.text())) wrongs.push(message.text());
  });
  return { page, context, wrongs };
}

/** Where screenshots go. */
let shots = process.env.MOUTHPIECE_SHOTS ?? "";

/**
 * Takes a screenshot.
 *
 * @param {Page} page
 * @param {string} name without extension
 */
export async function shoot(page, name) {
  if (shots === "") {
    shots = await mkdtemp(path.join(tmpdir(), "mouthpiece-shots-"));
    console.log(`screenshots: ${shots}`);
  }
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true });
}

/**
 * Waits until the last change is drawn and no colour is under way; what moves for ever may move.
 *
 * @param {Page} page
 */
async function settled(page) {
  await page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const passing = document
      .getAnimations()
      .filter((a) => a.effect?.getTiming().iterations !== Number.POSITIVE_INFINITY);
    await Promise.allSettled(passing.map((a) => a.finished));
  });
}

/**
 * Takes a page through both schemes at both widths and shoots each.
 *
 * @param {Page} page
 * @param {string} name
 * @param {(label: string) => Promise<void>} [check] called in each of the four
 */
export async function inAllLooks(page, name, check) {
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 800 });
    for (const scheme of /** @type {const} */ (["light", "dark"])) {
      await page.emulateMedia({ colorScheme: scheme });
      await settled(page);
      await shoot(page, `${name}-${width}-${scheme}`);
      await check?.(`${name} at ${width} px, ${scheme}`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: "light" });
}

/**
 * Focus moves by Tab until `wanted` holds for the focused element.
 *
 * @param {Page} page
 * @param {string} selector
 * @param {"Tab"|"Shift+Tab"} [key]
 */
export async function tabTo(page, selector, key = "Tab") {
  for (let i = 0; i < 80; i += 1) {
    await page.keyboard.press(key);
    if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
  }
  throw new Error(`80 presses of ${key} did not reach ${selector}`);
}
