/** Who is let in: with the printed link, once; nobody else, however the page is reached. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { PATIENCE, binary, freePort, inAllLooks, newPage, stage } from "./harness.mjs";

const the = stage();

/**
 * nginx with the lines that its documentation gives for WebSockets: the page seems to be asked for from this machine, by its
 * own name.
 *
 * @param {string} below the prefix
 * @param {string} [more] lines
 * @returns {Promise<{url: string, stop: () => void}>}
 */
async function nginx(below, more = "") {
  const port = await freePort();
  const config = path.join(the.data.path, "nginx.conf");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${the.data.path}/nginx-${name};`)
    .join(" ");
  await writeFile(
    config,
    `daemon off; master_process off; pid ${the.data.path}/nginx.pid; error_log stderr;
     events { worker_connections 256; }
     http { access_log off; ${temporary}
       types { text/html html; }
       server { listen 127.0.0.1:${port};
         location ${below} {
           proxy_pass ${the.program.url}/;
           proxy_http_version 1.1;
           proxy_set_header Upgrade $http_upgrade;
           proxy_set_header Connection "upgrade";
           ${more}
         } } }`,
  );
  const child = spawn("/usr/sbin/nginx", ["-c", config, "-p", the.data.path], { stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://127.0.0.1:${port}${below}`;
  for (const late = Date.now() + PATIENCE; ; ) {
    if (await fetch(url).then(() => true, () => false)) break;
    assert.ok(child.exitCode === null && Date.now() < late, "nginx did not start");
    await new Promise((again) => setTimeout(again, 50));
  }
  return { url, stop: () => void child.kill() };
}

test("a stranger through nginx is told where the link is, and gets nothing", async () => {
  const proxy = await nginx("/");
  const { page, context, wrongs } = await newPage(the.browser, { stranger: true });
  try {
    await page.goto(proxy.url);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.match(await page.locator("main").innerText(), /opens with a link[^]*mouthpiece page-link[^]*API key/);
    assert.deepEqual(await context.cookies(), []);
    for (const asked of ["v1/page/session", "v1/keys", "v1/sessions", "v1/workers"])
      assert.equal(await page.evaluate((address) => fetch(address).then((a) => a.status), asked), 401, asked);
    await inAllLooks(page, "stranger-through-nginx");
    assert.deepEqual(wrongs, []);
  } finally {
    await context.close();
    proxy.stop();
  }
});

test("below a prefix a link opens the page once, and the page works there", async () => {
  const link = await anotherLink();
  const proxy = await nginx("/avatar/");
  const first = await newPage(the.browser, { stranger: true });
  const second = await newPage(the.browser, { stranger: true });
  try {
    const through = proxy.url + new URL(link).hash;
    await first.page.goto(through);
    await first.page.getByRole("button", { name: "Play the sample" }).waitFor();
    assert.equal(first.page.url(), proxy.url, "the secret is gone from the address");
    await first.page.goto(`${proxy.url}farm`);
    await first.page.locator(".worker").first().waitFor();
    await second.page.goto(through);
    const alert = second.page.getByRole("alert");
    await alert.waitFor();
    assert.match(await alert.innerText(), /was followed before/);
    assert.deepEqual([...first.wrongs, ...second.wrongs], []);
  } finally {
    await first.context.close();
    await second.context.close();
    proxy.stop();
  }
});

test("below a prefix everything is asked there: a render, a talk, hanging up, signing out", async () => {
  const link = await anotherLink();
  const proxy = await nginx("/avatar/", "client_max_body_size 64m;");
  const { page, context, wrongs } = await newPage(the.browser, { stranger: true });
  /** @type {string[]} */
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  try {
    await page.goto(proxy.url + new URL(link).hash);
    await page.getByRole("button", { name: "Play the sample" }).waitFor();
    await page.goto(`${proxy.url}studio#video`);
    await page.getByRole("button", { name: "Try the sample" }).click();
    await page.getByRole("link", { name: "Download" }).waitFor();
    await page.waitForFunction(() => {
      const video = /** @type {HTMLVideoElement|null} */ (document.querySelector(".stage video[controls]"));
      return video !== null && video.currentTime > 0.2;
    });
    await page.getByRole("link", { name: "Farm" }).click();
    assert.equal(page.url(), `${proxy.url}farm`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Cost" }).click();
    await page.getByRole("heading", { name: "What did a delivered minute cost?" }).waitFor();

    await page.goto(proxy.url);
    const hungUp = page.waitForResponse((r) => r.request().method() === "DELETE" && r.url().includes("/whep/"));
    await page.getByRole("button", { name: "Play the sample" }).click();
    await page.locator(".talk-words .state-word").filter({ hasText: "Talking" }).waitFor();
    await page.keyboard.press("Escape");
    const answer = await hungUp;
    // The session may have ended before; what matters is that this server was reached, not what else there is.
    assert.ok([200, 404].includes(answer.status()) && answer.headers()["x-request-id"], String(answer.status()));
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    const outside = asked.filter((pathname) => pathname.startsWith("/") && !pathname.startsWith("/avatar/"));
    assert.deepEqual(outside, []);
    assert.deepEqual(wrongs, []);
  } finally {
    await context.close();
    proxy.stop();
  }
});

test("a link that is pasted into a page that is open lets it in, and a followed one does no harm there", async () => {
  const link = await anotherLink();
  const { page, context, wrongs } = await newPage(the.browser, { stranger: true });
  await page.goto(`${the.program.url}/farm`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  // Only the fragment changes: nothing is loaded.
  await page.evaluate((hash) => void (location.hash = hash), new URL(link).hash);
  await page.locator(".worker").first().waitFor();
  assert.equal(page.url(), `${the.program.url}/farm`);
  const [cookie] = await context.cookies();
  assert.ok(cookie?.httpOnly && cookie.sameSite === "Strict" && cookie.expires > Date.now() / 1000 + 30 * 86_400);
  await page.goto("about:blank");
  await page.goto(link);
  await page.getByRole("link", { name: "Farm" }).waitFor();
  assert.equal(page.url(), `${the.program.url}/`);
  await context.close();
  assert.deepEqual(wrongs, []);
});

/** @returns {Promise<string>} what `mouthpiece page-link` prints */
async function anotherLink() {
  const child = spawn(binary(), ["page-link", "--data", the.data.path], { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  for await (const chunk of child.stdout) printed += chunk;
  return printed.trim();
}
