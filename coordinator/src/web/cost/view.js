/**
 * Cost: what a delivered minute cost, how much was idle, where it went.
 *
 * @import { Actions } from "../actions/index.js"
 * @import { CostReport } from "../core/types.js"
 * @import { State } from "../state/state.js"
 */
import { h } from "../core/dom.js";
import { serverNow } from "../core/api.js";
import { day, moment } from "../core/format.js";
import { problemBox, segments } from "../parts/pieces.js";
import { icon } from "../parts/icons.js";
import { PERIODS, ends, grain, lastWeek, reportPath } from "../state/period.js";
import "./chart.js";
import { series } from "./series.js";
import { answers, unpricedNote } from "./answers.js";
import { splitTable } from "./split.js";

/**
 * @param {State} state
 * @param {Actions} act
 */
export function costView(state, act) {
  const { cost } = state;
  return [
    h("div", { class: "row spread wrap", key: "head" }, h("h1", { class: "view-title" }, "Cost"), picker(state, act)),
    cost.problem ? problemBox(cost.problem, { retry: () => void act.farm.cost(), key: "cost-problem" }) : null,
    cost.series === null || cost.split === null
      ? h("p", { class: "muted", key: "loading" }, cost.phase === "loading" ? "Adding up…" : null)
      : h(
          "div",
          { class: "cost", key: "cost", "aria-busy": String(cost.phase === "loading") },
          report(cost.series, cost.split, state, act),
        ),
  ];
}

/** @param {State} state @param {Actions} act */
function picker(state, act) {
  const { cost } = state;
  const period = ends(cost, serverNow());
  return h(
    "div",
    { class: "row wrap picker" },
    segments(
      "Period",
      PERIODS,
      cost.period,
      (chosen) =>
        void act.farm.cost({
          period: chosen,
          ...(chosen === "custom" && cost.from === "" ? lastWeek(serverNow()) : {}),
        }),
    ),
    cost.period === "custom"
      ? h(
          "div",
          { class: "row", key: "days" },
          dayInput("From", cost.from, (from) => void act.farm.cost({ from })),
          dayInput("To", cost.to, (to) => void act.farm.cost({ to })),
          cost.from && cost.to && period === null
            ? h("span", { class: "note bad", role: "alert" }, "The first day is after the last.")
            : null,
        )
      : null,
    period === null
      ? null
      : h(
          "a",
          {
            class: "button",
            key: "csv",
            href: reportPath(period, cost.group, "csv"),
            download: `mouthpiece-cost-by-${cost.group}.csv`,
          },
          icon("download"),
          "CSV",
        ),
  );
}

/** @param {string} word @param {string} value @param {(value: string) => void} onChange */
function dayInput(word, value, onChange) {
  return h(
    "label",
    { class: "field inline", key: word },
    h("span", null, word),
    h("input", {
      type: "date",
      value,
      onchange: (/** @type {Event} */ e) => onChange(/** @type {HTMLInputElement} */ (e.target).value),
    }),
  );
}

/** @param {CostReport} byTime @param {CostReport} split @param {State} state @param {Actions} act */
function report(byTime, split, state, act) {
  const from = Date.parse(byTime.from);
  const to = Date.parse(byTime.to);
  const unit = byTime.group_by === "hour" ? "hour" : grain({ from, to });
  const span = unit === "hour" ? `${moment(from)} to ${moment(to)}` : `${day(from)} to ${day(to)}`;
  const line = series(byTime, unit);
  return [
    byTime.unpriced.length > 0 ? unpricedNote(byTime.unpriced) : null,
    answers(byTime, split, state.cost.group, span),
    h(
      "section",
      { class: "card chart-card", key: "chart", "aria-labelledby": "chart-title" },
      h(
        "div",
        { class: "row spread wrap" },
        h("h2", { id: "chart-title" }, line.title),
        h("span", { class: "muted num" }, `${line.unitWord} · ${span}`),
      ),
      h("cost-chart", { ".series": line, innerOwn: true }),
    ),
    splitTable(split, state, act),
  ];
}
