/**
 * Accessibility rules, checked by axe-core in the page.
 *
 * @import { Page } from "playwright-core"
 */
import assert from "node:assert/strict";
import axe from "axe-core";

/**
 * Fails if the page as it stands breaks a rule seriously.
 *
 * @param {Page} page
 * @param {string} label for the message
 */
export async function assertAccessible(page, label) {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    /** @type {typeof import("axe-core")} */
    const axe = Reflect.get(globalThis, "axe");
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations.map((v) => ({
      id: v.id,
      impact: v.impact,
      help: v.help,
      where: v.nodes.slice(0, 4).map((n) => n.failureSummary + " " + n.html.slice(0, 160)),
    }));
  });
  const serious = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  assert.deepEqual(serious, [], `${label}: ${JSON.stringify(serious, null, 2)}`);
}

/**
 * Fails if the page is wider than the window.
 *
 * @param {Page} page
 * @param {string} label
 */
export async function assertNoOverflow(page, label) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(over, 0, `${label}: ${over} px wider than the window`);
}
