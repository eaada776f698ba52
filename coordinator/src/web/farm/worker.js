/**
 * One worker: who it is, how it is, what runs in its slots, and how it is drained.
 *
 * @import { Actions } from "../actions/index.js"
 * @import { Slot, SlotSession, Worker } from "../core/types.js"
 * @import { State } from "../state/state.js"
 */
import { h } from "../core/dom.js";
import { age, ago, count, shortId } from "../core/format.js";
import { stateLabel } from "../parts/glyph.js";
import { icon } from "../parts/icons.js";
import { meter, picture, problemBox, question } from "../parts/pieces.js";
import { thinLine } from "../state/pace.js";
import { sessionWords, slotWords, workerWords } from "../state/words.js";

/**
 * @param {Worker} worker
 * @param {number} waitedMs since the snapshot
 * @param {State} state
 * @param {Actions} act
 */
export function workerRow(worker, waitedMs, state, act) {
  const seen = worker.seen_ms_ago + waitedMs;
  const asked = state.farm.draining?.id === worker.id;
  const canDrain = worker.state === "idle" || worker.state === "busy";
  return h(
    "li",
    { class: `worker card ${worker.state}`, key: worker.id },
    h(
      "div",
      { class: "worker-who" },
      h(
        "div",
        { class: "worker-name" },
        h("h3", { title: worker.id }, worker.name || shortId(worker.id)),
        stateLabel(workerWords(worker.state)),
      ),
      h("p", { class: "muted" }, `${worker.engine} · ${worker.instance_type}`),
      worker.state === "lost" ? null : pace(worker, state),
      h(
        "p",
        { class: "muted num" },
        worker.state === "lost" ? `last seen ${ago(seen)}` : `up ${age(worker.up_ms + waitedMs)} · seen ${ago(seen)}`,
      ),
    ),
    h(
      "ol",
      { class: "slots", "aria-label": `Slots of ${worker.name}` },
      worker.slots.map((slot) => cell(slot, worker, waitedMs, state)),
    ),
    h(
      "div",
      { class: "worker-acts" },
      canDrain && !asked
        ? h(
            "button",
            {
              type: "button",
              class: "button small",
              "aria-label": `Drain ${worker.name}`,
              onclick: () => act.farm.askDrain(worker.id),
            },
            icon("drain"),
            "Drain",
          )
        : null,
    ),
    asked ? drainQuestion(worker, state, act) : null,
    moving(worker.id, state, act),
  );
}

/** How fast it works, against what it measured of itself. @param {Worker} worker @param {State} state */
function pace(worker, state) {
  const rates = state.farm.paces[worker.id]?.rates ?? [];
  return h(
    "p",
    { class: "pace muted num", key: "pace" },
    h(
      "svg",
      {
        class: "thin",
        viewBox: "0 0 96 20",
        width: 96,
        height: 20,
        preserveAspectRatio: "none",
        "aria-hidden": "true",
      },
      h("line", { class: "grid", x1: 0, x2: 96, y1: 19, y2: 19 }),
      h("polyline", { class: "line", points: thinLine(rates, worker.frames_per_second, 96, 20) }),
    ),
    `${Math.round(rates[rates.length - 1] ?? 0)} of ${worker.frames_per_second} frames/s`,
  );
}

/** An empty slot of a worker in this state. @type {Record<Worker["state"], string>} */
const EMPTY = { idle: "Free", busy: "Free", draining: "Closed", lost: "Gone" };

/** @param {Slot} slot @param {Worker} worker @param {number} waitedMs @param {State} state */
function cell(slot, worker, waitedMs, state) {
  const { session } = slot;
  if (session === null) {
    return h(
      "li",
      { class: "slot free", key: slot.slot },
      h("span", { class: "thumb" }, h("span", { class: "num" }, String(slot.slot))),
      h("span", { class: "muted" }, EMPTY[worker.state]),
    );
  }
  const words = slotWords(newest(session, state));
  return h(
    "li",
    { class: "slot", key: slot.slot },
    thumb(session, state),
    h(
      "div",
      { class: "slot-words" },
      h("span", { class: "slot-state" }, stateLabel({ ...words, word: short(words.word) })),
      h("span", { class: "muted num", title: session.id }, `${session.kind} · ${age(session.age_ms + waitedMs)}`),
      // A live session has no end that it comes nearer to.
      session.kind === "live" ? null : meter(words.percent, words.word),
    ),
  );
}

/**
 * A session's own events come sooner than the picture of the whole farm.
 *
 * @param {SlotSession} session
 * @param {State} state
 * @returns {SlotSession}
 */
function newest(session, state) {
  const known = state.sessions.byId[session.id];
  return known && known.state !== "ended" ? { ...session, state: known.state, progress: known.progress } : session;
}

/** A cell is narrow. @param {string} word */
const short = (word) =>
  ({ "Analysing the face": "Analysing", "Slot found, starting": "Starting", "Storing the result": "Storing" })[word] ??
  word;

/** @param {SlotSession} session @param {State} state */
function thumb(session, state) {
  const avatar = state.avatars.list.find((a) => a.id === session.avatar_id);
  return h(
    "span",
    { class: "thumb" },
    avatar?.preview ? picture({ src: avatar.preview, alt: avatar.name }) : icon("face"),
  );
}

/**
 * What becomes of what runs on a worker that is drained.
 *
 * @param {(string|undefined)[]} kinds of its sessions
 * @returns {string[]} sentences
 */
export function fates(kinds) {
  const live = kinds.filter((kind) => kind === "live").length;
  const others = kinds.length - live;
  const told = [];
  if (live > 0) told.push(`${count(live, "live session")} ${live === 1 ? "moves" : "move"} to another worker, viewers included.`);
  if (others > 0)
    told.push(
      `${count(others, "session")} ${others === 1 ? "finishes" : "finish"} there first; what takes too long starts again on another worker.`,
    );
  return told.length === 0 ? ["Nothing runs on it."] : told;
}

/** @param {Worker} worker @param {State} state @param {Actions} act */
function drainQuestion(worker, state, act) {
  const { draining } = state.farm;
  const running = worker.slots.flatMap((slot) => (slot.session ? [slot.session] : []));
  return question({
    title: `Drain ${worker.name || shortId(worker.id)}?`,
    words: [
      h(
        "p",
        null,
        "It takes nothing new, and goes when its slots are empty. ",
        fates(running.map(({ kind }) => kind)).join(" "),
      ),
      running.length === 0
        ? null
        : h(
            "ul",
            { class: "moves" },
            running.map((session) =>
              h(
                "li",
                { key: session.id },
                thumb(session, state),
                h("code", null, shortId(session.id)),
                stateLabel(slotWords(newest(session, state))),
              ),
            ),
          ),
      draining?.problem ? problemBox(draining.problem, { key: "drain-problem" }) : null,
    ],
    yes: draining?.busy ? "Draining…" : "Drain",
    busy: draining?.busy ?? false,
    onYes: () => void act.farm.drain(worker.id),
    onNo: () => act.farm.askDrain(null),
  });
}

/**
 * What a drain waits for, and where it went if it moved; it stays until it is dismissed, also when the worker has gone.
 *
 * @param {string} worker its id
 * @param {State} state
 * @param {Actions} act
 */
export function moving(worker, state, act) {
  const told = state.farm.moved[worker];
  if (told === undefined) return null;
  const { name, ids } = told;
  const live = ids.filter((id) => state.sessions.byId[id]?.kind === "live").length;
  const rest = ids.length - live;
  const moves = live === 0 ? [] : [`${count(live, "live session")} ${live === 1 ? "moves" : "move"}`];
  const finishes = rest === 0 ? [] : [`${count(rest, "session")} ${rest === 1 ? "finishes" : "finish"} first`];
  const what = ids.length === 0 ? "nothing ran there" : [...moves, ...finishes].join(", ");
  return h(
    "div",
    { class: "note drained", key: `moving-${worker}` },
    h("p", null, `Draining ${name}: ${what}.`),
    h(
      "button",
      {
        type: "button",
        class: "button bare square",
        "aria-label": `Dismiss the note on ${name}`,
        onclick: () => act.farm.dismissDrain(worker),
      },
      icon("close"),
    ),
    ids.length === 0
      ? null
      : h(
          "ul",
          { class: "moves" },
          ids.map((id) => move(id, worker, state)),
        ),
  );
}

/** @param {string} id @param {string} worker @param {State} state */
function move(id, worker, state) {
  const session = state.sessions.byId[id];
  const there = session?.worker && session.worker !== worker ? session.worker : null;
  const name = state.farm.snapshot?.workers.find((w) => w.id === there)?.name;
  return h(
    "li",
    { key: id },
    h("code", { title: id }, shortId(id)),
    session ? stateLabel(sessionWords(session)) : null,
    there ? h("span", { class: "muted" }, `on ${name || shortId(there)}`) : null,
  );
}
