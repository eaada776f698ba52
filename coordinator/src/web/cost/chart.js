/**
 * `<cost-chart>`: a line or bars over time, drawn at the size that it has, with axes, and a readout that follows
 * the pointer or the arrow keys.
 *
 * @import { Series } from "./series.js"
 */
import { h, patch } from "../core/dom.js";
import { runs, ticks, timeTicks } from "./series.js";

const HEIGHT = 240;
const EDGE = { top: 12, right: 12, bottom: 28, left: 64 };

class CostChart extends HTMLElement {
  /** @type {Series|null} */
  #series = null;
  /** @type {number|null} the point that the readout tells of */
  #at = null;
  #watch = new ResizeObserver(() => this.#draw());

  /** @param {Series} series */
  set series(series) {
    this.#series = series;
    this.#at = null;
    this.#draw();
  }

  connectedCallback() {
    this.#watch.observe(this);
  }

  disconnectedCallback() {
    this.#watch.disconnect();
  }

  #draw() {
    const series = this.#series;
    const width = Math.floor(this.clientWidth);
    if (series === null || width === 0) return;
    const values = series.points.map((p) => p.value ?? 0);
    const scale = ticks(Math.max(...values));
    const top = scale[scale.length - 1] ?? 1;
    const inner = width - EDGE.left - EDGE.right;
    const x = (/** @type {number} */ at) => EDGE.left + ((at - series.from) / (series.to - series.from)) * inner;
    const y = (/** @type {number} */ value) => EDGE.top + (1 - value / top) * (HEIGHT - EDGE.top - EDGE.bottom);
    const middle = series.step / 2;
    const chosen = this.#at === null ? null : series.points[this.#at];
    const readout = chosen?.say ?? summary(series);
    patch(this, [
      h(
        "svg",
        {
          class: "chart",
          viewBox: `0 0 ${width} ${HEIGHT}`,
          width,
          height: HEIGHT,
          tabindex: 0,
          role: "img",
          "aria-label": `${series.title}. ${summary(series)} Arrow keys read single values.`,
          onpointermove: (/** @type {PointerEvent} */ event) => this.#point(event, width),
          onpointerleave: () => this.#choose(null),
          onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
          onblur: () => this.#choose(null),
        },
        scale.map((value) =>
          h(
            "g",
            { key: `y${value}` },
            h("line", {
              class: value === 0 ? "axis" : "grid",
              x1: EDGE.left,
              x2: width - EDGE.right,
              y1: y(value),
              y2: y(value),
            }),
            h(
              "text",
              { class: "tick", x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" },
              series.tick(value, (scale[1] ?? 1) - (scale[0] ?? 0)),
            ),
          ),
        ),
        timeTicks(series.from, series.to, series.step, Math.max(2, Math.floor(inner / 76))).map(({ at, word }) =>
          h("text", { class: "tick", key: `x${at}`, x: x(at + middle), y: HEIGHT - 8, "text-anchor": "middle" }, word),
        ),
        series.style === "bars" ? bars(series, x, y) : line(series, (at) => x(at + middle), y),
        chosen ? marker(x(chosen.at + middle), chosen.value === null ? null : y(chosen.value)) : null,
      ),
      h("p", { class: "readout num", "aria-live": "polite", key: "readout" }, readout),
    ]);
  }

  /** @param {PointerEvent} event @param {number} width */
  #point(event, width) {
    const series = this.#series;
    if (series === null) return;
    const share = (event.clientX - this.getBoundingClientRect().left - EDGE.left) / (width - EDGE.left - EDGE.right);
    const i = Math.floor(share * series.points.length);
    this.#choose(i >= 0 && i < series.points.length ? i : null);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const last = (this.#series?.points.length ?? 0) - 1;
    const steps = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowRight: 1 });
    const step = steps[event.key];
    if (step === undefined || last < 0) return;
    event.preventDefault();
    const from = this.#at ?? (step > 0 ? -1 : last + 1);
    this.#choose(Math.min(last, Math.max(0, from + step)));
  }

  /** @param {number|null} at */
  #choose(at) {
    if (at === this.#at) return;
    this.#at = at;
    this.#draw();
  }
}

/** @param {Series} series */
function summary(series) {
  const known = series.points.flatMap((p) => (p.value === null || p.value === 0 ? [] : [p.value]));
  if (known.length === 0) return "Nothing was delivered in this period.";
  const say = series.say;
  return `Between ${say(Math.min(...known))} and ${say(Math.max(...known))}, in ${known.length} of ${series.points.length} ${series.step < 86_400_000 ? "hours" : "days"}.`;
}

/** @typedef {(at: number) => number} Scale */

/** @param {Series} series @param {Scale} x @param {Scale} y */
function bars(series, x, y) {
  return series.points.map((p) => {
    const left = x(p.at);
    const width = Math.max(1, x(p.at + series.step) - left - 2);
    const top = y(p.value ?? 0);
    return h("rect", {
      class: "bar",
      key: `b${p.at}`,
      x: left + 1,
      y: top,
      width,
      height: Math.max(0, y(0) - top),
      rx: 1,
    });
  });
}

/** @param {Series} series @param {Scale} x @param {Scale} y */
function line(series, x, y) {
  return runs(series.points).map((run) => {
    const d = run.map((p, i) => `${i === 0 ? "M" : "L"}${x(p.at).toFixed(1)} ${y(p.value).toFixed(1)}`).join("");
    const first = run[0];
    const last = run[run.length - 1];
    if (first === undefined || last === undefined) return null;
    return h(
      "g",
      { key: `r${first.at}` },
      h("path", { class: "area", d: `${d}L${x(last.at).toFixed(1)} ${y(0)}L${x(first.at).toFixed(1)} ${y(0)}Z` }),
      h("path", { class: "line", d }),
      run.map((p) =>
        h("circle", { class: "dot", key: `d${p.at}`, cx: x(p.at), cy: y(p.value), r: run.length === 1 ? 3.5 : 2 }),
      ),
    );
  });
}

/** @param {number} x @param {number|null} y */
function marker(x, y) {
  return h(
    "g",
    { key: "marker" },
    h("line", { class: "cursor", x1: x, x2: x, y1: EDGE.top, y2: HEIGHT - EDGE.bottom }),
    y === null ? null : h("circle", { class: "cursor-dot", cx: x, cy: y, r: 4.5 }),
  );
}

customElements.define("cost-chart", CostChart);
