/**
 * The three answers, as large figures with their units and period.
 *
 * @import { CostReport, CostRow } from "../core/types.js"
 * @import { Group } from "../state/state.js"
 */
import { h } from "../core/dom.js";
import { count, percent, quantity, rate, usd } from "../core/format.js";

/**
 * @param {CostReport} byTime
 * @param {CostReport} split
 * @param {Group} group
 * @param {string} span
 */
export function answers(byTime, split, group, span) {
  const { total } = byTime;
  const marginal = total.marginal_usd_per_minute;
  return h(
    "div",
    { class: "answers", key: "answers" },
    h(
      "section",
      { class: "answer card", key: "minute" },
      h("h2", null, "What did a delivered minute cost?"),
      h(
        "p",
        { class: "answer-figure" },
        total.delivered_minutes === 0 ? "–" : total.usd_per_minute === null ? "Unpriced" : usd(total.usd_per_minute),
        total.usd_per_minute === null ? null : h("span", { class: "unit" }, " a minute"),
      ),
      h(
        "p",
        { class: "muted" },
        total.delivered_minutes > 0
          ? `${quantity(total.delivered_minutes)} min delivered in ${count(total.sessions, "session")}`
          : "Nothing was delivered",
        marginal === null ? "" : ` · ${rate(marginal)} with every slot taken`,
      ),
      total.failed_minutes > 0 ? h("p", { class: "muted" }, `${quantity(total.failed_minutes)} min failed`) : null,
      total.egress_gb > 0
        ? h(
            "p",
            { class: "muted", key: "egress" },
            `${quantity(total.egress_gb)} GB sent to viewers`,
            total.egress_usd > 0 ? `, ${usd(total.egress_usd)} beside the machines` : "",
          )
        : null,
      h("p", { class: "muted num period" }, span),
    ),
    h(
      "section",
      { class: "answer card", key: "idle" },
      h("h2", null, "How much was idle?"),
      h(
        "p",
        { class: "answer-figure" },
        percent(total.idle_share),
        total.idle_share === null ? null : h("span", { class: "unit" }, " of machine time"),
      ),
      shareBar([
        ["busy", total.busy_share ?? 0],
        ["starting", total.starting_share ?? 0],
        ["idle", total.idle_share ?? 0],
      ]),
      h(
        "p",
        { class: "muted" },
        `${quantity(total.machine_hours)} machine hours`,
        total.cost_usd === null ? "" : `, ${usd(total.cost_usd)} in all`,
        total.starting_share ? `, ${percent(total.starting_share)} starting` : "",
      ),
      h("p", { class: "muted num period" }, span),
    ),
    h(
      "section",
      { class: "answer card", key: "where" },
      h("h2", null, "Where did it go?"),
      ranking(split, group),
      h("p", { class: "muted num period" }, span),
    ),
  );
}

/** @param {[string, number][]} shares 0..1 each */
function shareBar(shares) {
  const words = shares.map(([name, share]) => `${percent(share)} ${name}`).join(", ");
  return h(
    "div",
    { class: "sharebar", role: "img", "aria-label": words },
    shares.map(([name, share]) => h("span", { class: `share-${name}`, key: name, style: { "--share": share } })),
  );
}

/**
 * What a row weighs: money where it is known, else minutes, else machine hours.
 *
 * @param {CostReport} split
 * @returns {{weight: (row: CostRow) => number, say: (row: CostRow) => string}}
 */
export function measure(split) {
  if (split.total.cost_usd !== null) return { weight: (r) => r.cost_usd ?? 0, say: (r) => usd(r.cost_usd) };
  if (split.rows.some((r) => r.delivered_minutes > 0)) {
    return { weight: (r) => r.delivered_minutes, say: (r) => `${quantity(r.delivered_minutes)} min` };
  }
  return { weight: (r) => r.machine_hours, say: (r) => `${quantity(r.machine_hours)} h` };
}

/** @param {CostReport} split @param {Group} group */
function ranking(split, group) {
  const { weight, say } = measure(split);
  const all = split.rows.reduce((sum, row) => sum + weight(row), 0);
  if (all <= 0) return h("p", { class: "muted" }, "Nothing was spent.");
  const rows = [...split.rows].sort((a, b) => weight(b) - weight(a)).slice(0, 4);
  return h(
    "ol",
    { class: "ranking", "aria-label": `By ${GROUP_WORDS[group]}` },
    rows.map((row) =>
      h(
        "li",
        { key: row.group ?? "" },
        h("span", { class: "ranking-name" }, rowName(row)),
        h("span", { class: "num" }, `${say(row)} · ${percent(weight(row) / all)}`),
        h("span", { class: "ranking-bar", style: { "--share": weight(row) / all } }),
      ),
    ),
  );
}

/** @type {Record<Group, string>} */
export const GROUP_WORDS = { avatar: "face", key: "key", kind: "kind", instance_type: "instance type" };

/** @param {CostRow} row */
export const rowName = (row) =>
  row.group === "(idle)" ? "Idle, nothing delivered" : row.label || row.group || "unnamed";

/** @param {string[]} types */
export function unpricedNote(types) {
  return h(
    "div",
    { class: "note unpriced", key: "unpriced", role: "note" },
    h(
      "p",
      null,
      h("strong", null, "Unpriced: "),
      types.map((type, i) => [i > 0 ? ", " : "", h("code", { key: type }, type)]),
      ". Minutes and shares are known, money is not.",
    ),
    h(
      "details",
      null,
      h("summary", null, "Set a price"),
      h(
        "p",
        null,
        "Say in ",
        h("code", null, "mouthpiece.toml"),
        " what such a machine costs and since when, then start again:",
      ),
      h(
        "pre",
        { tabindex: 0, "aria-label": "Example of a price" },
        `[[prices]]\ninstance_type = "${types[0] ?? "local"}"\nusd_per_hour = 0.157\nfrom = "2026-01-01T00:00:00Z"`,
      ),
    ),
  );
}
