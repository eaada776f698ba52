/**
 * The sessions as a table; on a narrow screen each is a block.
 *
 * @import { Actions } from "../actions/index.js"
 * @import { Session } from "../core/types.js"
 * @import { State } from "../state/state.js"
 */
import { serverNow } from "../core/api.js";
import { h } from "../core/dom.js";
import { ago, moment, shortId } from "../core/format.js";
import { stateLabel } from "../parts/glyph.js";
import { icon } from "../parts/icons.js";
import { picture, problemBox, segments } from "../parts/pieces.js";
import { listedSessions } from "../state/farm.js";
import { endSentence, sessionWords } from "../state/words.js";

const FILTERS = /** @type {const} */ ([
  ["open", "Open"],
  ["ended", "Ended"],
  ["all", "All"],
]);
const KINDS = { prepare: "Prepare", render: "Render", live: "Live" };
const NOTHING = { open: "No session is open.", ended: "No session has ended yet.", all: "There are no sessions yet." };

/**
 * @param {State} state
 * @param {Actions} act
 */
export function sessionTable(state, act) {
  const list = listedSessions(state);
  const { problem, next, phase } = state.sessions;
  const { filter, cancelling } = state.farm;
  return h(
    "section",
    { class: "sessions", key: "sessions", "aria-labelledby": "sessions-title" },
    h(
      "div",
      { class: "row spread" },
      h("h2", { id: "sessions-title" }, "Sessions"),
      segments("Which sessions", FILTERS, filter, act.farm.filter),
    ),
    problem ? problemBox(problem, { retry: () => void act.lists.sessions(), key: "sessions-problem" }) : null,
    cancelling?.problem
      ? problemBox(cancelling.problem, { dismiss: act.farm.dismissCancel, key: "cancel-problem" })
      : null,
    list.length === 0
      ? h("p", { class: "muted", key: "none" }, phase === "ready" ? NOTHING[filter] : "Loading the sessions…")
      : h(
          "div",
          { class: "card table-card", key: "table" },
          h(
            "table",
            { class: "table stack" },
            h(
              "thead",
              null,
              h(
                "tr",
                null,
                ["Session", "Kind", "State", "Where", "Started", ""].map((word) =>
                  h(
                    "th",
                    { key: word, scope: "col", class: word === "Started" ? "num" : null },
                    word || h("span", { class: "visually-hidden" }, "Actions"),
                  ),
                ),
              ),
            ),
            h(
              "tbody",
              null,
              list.map((session) => row(session, state, act)),
            ),
          ),
        ),
    next !== null && filter !== "open"
      ? h("button", { type: "button", class: "button", onclick: () => void act.lists.olderSessions() }, "Show older")
      : null,
  );
}

/** @param {Session} session @param {State} state @param {Actions} act */
function row(session, state, act) {
  const avatar = state.avatars.list.find((a) => a.id === session.avatar_id);
  const worker = state.farm.snapshot?.workers.find((w) => w.id === session.worker);
  const place =
    session.worker === null
      ? "No worker"
      : `${worker?.name || shortId(session.worker)}${session.slot === null ? "" : `, slot ${session.slot}`}`;
  const why =
    session.end !== null && (session.end.detail || session.end.reason === "failed")
      ? endSentence(session.end, session.kind)
      : null;
  const created = Date.parse(session.created);
  return h(
    "tr",
    { key: session.id },
    h(
      "td",
      { class: "cell-who" },
      h(
        "span",
        { class: "who-cell" },
        h(
          "span",
          { class: "thumb small" },
          avatar?.preview ? picture({ src: avatar.preview, alt: "", loading: "lazy" }) : icon("face"),
        ),
        h("code", { title: session.id }, shortId(session.id)),
      ),
    ),
    h("td", { class: "cell-kind" }, KINDS[session.kind]),
    h("td", { class: "cell-state" }, stateLabel(sessionWords(session)), why ? h("p", { class: "why" }, why) : null),
    h(
      "td",
      { class: "cell-where" },
      place,
      session.fence > 1 ? h("span", { class: "muted" }, ` · placed ${session.fence} times`) : null,
    ),
    h("td", { class: "cell-when num", title: moment(created) }, ago(serverNow() - created)),
    h("td", { class: "cell-acts" }, acts(session, state, act)),
  );
}

/** @param {Session} session @param {State} state @param {Actions} act */
function acts(session, state, act) {
  if (session.state !== "ended") {
    const busy = state.farm.cancelling?.id === session.id && state.farm.cancelling.busy;
    return h(
      "button",
      {
        type: "button",
        class: "button small",
        disabled: busy,
        "aria-label": `Cancel ${session.id}`,
        onclick: () => void act.farm.cancelSession(session.id),
      },
      busy ? "Cancelling…" : "Cancel",
    );
  }
  const made = session.kind === "render" && session.result?.removed_at === null ? session.result : null;
  return made
    ? h(
        "a",
        {
          class: "button small",
          href: made.url,
          target: "_blank",
          rel: "noopener",
          "aria-label": `Watch ${session.id}`,
        },
        icon("play"),
        "Watch",
      )
    : null;
}
