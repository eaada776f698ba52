/**
 * Where it went, as a table: by face, key, kind or instance type.
 *
 * @import { Actions } from "../actions/index.js"
 * @import { CostReport, CostRow } from "../core/types.js"
 * @import { Group, State } from "../state/state.js"
 */
import { h } from "../core/dom.js";
import { percent, quantity, usd } from "../core/format.js";
import { segments } from "../parts/pieces.js";
import { GROUP_WORDS, measure, rowName } from "./answers.js";

const GROUPS = /** @type {const} */ ([
  ["avatar", "Face"],
  ["key", "Key"],
  ["kind", "Kind"],
  ["instance_type", "Instance type"],
]);

/** @type {[string, (row: CostRow) => string][]} */
const COLUMNS = [
  ["Delivered, min", (r) => quantity(r.delivered_minutes)],
  ["Failed, min", (r) => quantity(r.failed_minutes)],
  ["Sessions", (r) => r.sessions.toLocaleString("en-US")],
  ["Machine hours", (r) => quantity(r.machine_hours)],
  ["Starting", (r) => percent(r.starting_share)],
  ["Idle", (r) => percent(r.idle_share)],
  ["Cost, USD", (r) => usd(r.cost_usd)],
  ["Sent, GB", (r) => quantity(r.egress_gb)],
  ["USD a minute", (r) => (r.delivered_minutes > 0 ? usd(r.usd_per_minute) : "–")],
];

/**
 * @param {CostReport} split
 * @param {State} state
 * @param {Actions} act
 */
export function splitTable(split, state, act) {
  const { group } = state.cost;
  const { weight } = measure(split);
  const rows = [...split.rows].sort(
    (a, b) => Number(a.group === "(idle)") - Number(b.group === "(idle)") || weight(b) - weight(a),
  );
  return h(
    "section",
    { class: "split", key: "split", "aria-labelledby": "split-title" },
    h(
      "div",
      { class: "row spread wrap" },
      h("h2", { id: "split-title" }, `By ${GROUP_WORDS[group]}`),
      segments("Split by", GROUPS, group, (chosen) => void act.farm.cost({ group: /** @type {Group} */ (chosen) })),
    ),
    rows.length === 0
      ? h("p", { class: "muted", key: "none" }, "Nothing ran in this period.")
      : h(
          "div",
          { class: "card table-card", key: "table" },
          h(
            "table",
            { class: "table stack figures-table" },
            h(
              "thead",
              null,
              h(
                "tr",
                null,
                h("th", { scope: "col" }, GROUPS.find(([g]) => g === group)?.[1] ?? ""),
                COLUMNS.map(([word]) => h("th", { scope: "col", class: "num", key: word }, word)),
              ),
            ),
            h(
              "tbody",
              null,
              rows.map((row) => line(row, rowName(row))),
            ),
            h("tfoot", null, line(split.total, "Total")),
          ),
        ),
  );
}

/** @param {CostRow} row @param {string} name */
function line(row, name) {
  return h(
    "tr",
    { key: row.group ?? name },
    h("th", { scope: "row" }, name),
    COLUMNS.map(([word, say]) => h("td", { class: "num", key: word, "data-label": word }, say(row))),
  );
}
