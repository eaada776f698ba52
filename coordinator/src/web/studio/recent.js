/**
 * The last renders, each with its state or its reason.
 *
 * @import { Actions } from "../actions/index.js"
 * @import { Session } from "../core/types.js"
 * @import { State } from "../state/state.js"
 */
import { serverNow } from "../core/api.js";
import { h } from "../core/dom.js";
import { ago, duration } from "../core/format.js";
import { stateLabel } from "../parts/glyph.js";
import { icon } from "../parts/icons.js";
import { meter, picture, problemBox } from "../parts/pieces.js";
import { recentRenders } from "../state/studio.js";
import { endSentence, sessionWords } from "../state/words.js";

/**
 * @param {State} state
 * @param {Actions} act
 */
export function recent(state, act) {
  const list = recentRenders(state);
  const { phase, problem } = state.sessions;
  return h(
    "section",
    { class: "part", key: "recent", "aria-labelledby": "recent-title" },
    h("h2", { id: "recent-title" }, "Recent"),
    problem ? problemBox(problem, { retry: () => void act.lists.sessions(), key: "recent-problem" }) : null,
    list.length > 0
      ? h(
          "ul",
          { class: "recent" },
          list.map((session) => entry(state, session, act)),
        )
      : phase === "ready"
        ? h("p", { class: "muted" }, "What you render is listed here.")
        : null,
  );
}

/** @param {State} state @param {Session} session @param {Actions} act */
function entry(state, session, act) {
  const avatar = state.avatars.list.find((a) => a.id === session.avatar_id);
  const words = sessionWords(session);
  const shown = state.studio.current === session.id;
  const name = avatar?.name || session.metadata?.recording || "Render";
  const length = session.result ? duration(session.result.duration_ms) : null;
  const failed = session.end !== null && session.end.reason !== "completed" && session.end.reason !== "cancelled";
  return h(
    "li",
    { key: session.id, class: "recent-entry", "aria-current": shown ? "true" : null },
    h(
      "button",
      { type: "button", class: "recent-open", onclick: () => act.studio.show(session.id), title: session.id },
      h(
        "span",
        { class: "thumb" },
        avatar?.preview ? picture({ src: avatar.preview, alt: "", loading: "lazy" }) : icon("face"),
      ),
      h(
        "span",
        { class: "recent-words" },
        h(
          "span",
          { class: "recent-line" },
          h("span", { class: "recent-name" }, name),
          h(
            "span",
            { class: "recent-when muted num" },
            [length, ago(serverNow() - Date.parse(session.created))].filter(Boolean).join(" · "),
          ),
        ),
        stateLabel(words),
      ),
    ),
    session.state === "ended" && session.end?.reason !== "completed" && session.end?.reason !== "bad_input"
      ? h(
          "button",
          {
            type: "button",
            class: "button bare square",
            "aria-label": `Render ${name} again`,
            title: "Render again",
            onclick: () => void act.studio.retry(session),
          },
          icon("retry"),
        )
      : null,
    session.state === "ended" ? null : meter(words.percent, words.word),
    failed && session.end ? h("p", { class: "recent-why", key: "why" }, endSentence(session.end)) : null,
  );
}
