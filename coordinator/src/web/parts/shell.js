/**
 * The frame around the views: name, navigation, connection, key; and the sign-in.
 *
 * @import { Child, Loose, VNode } from "../core/dom.js"
 * @import { Actions } from "../actions/index.js"
 * @import { State, View } from "../state/state.js"
 */
import { PATHS } from "../actions/page.js";
import { h } from "../core/dom.js";
import { icon } from "./icons.js";
import { focusSoon, problemBox } from "./pieces.js";

/** @type {[View, string][]} */
const VIEWS = [
  ["studio", "Studio"],
  ["farm", "Farm"],
  ["cost", "Cost"],
];

/**
 * @param {State} state
 * @param {Actions} act
 * @param {Loose} content
 * @returns {Child[]}
 */
export function shell(state, act, content) {
  return [
    h("a", { class: "skip", href: "#main", key: "skip" }, "Skip to the content"),
    h(
      "header",
      { class: "top", key: "top" },
      h(
        "a",
        { class: "brand", href: "./", onclick: go(act, "studio"), "aria-label": "Mouthpiece" },
        mark(),
        h("span", { class: "brand-word" }, "Mouthpiece"),
      ),
      state.auth.phase === "in" ? navigation(state, act) : null,
      h("div", { class: "top-end" }, state.auth.phase === "in" ? [link(state), key(state, act)] : null),
    ),
    h("main", { id: "main", key: "main", tabindex: -1, class: `view view-${state.view}` }, content),
  ];
}

/** @param {State} state @param {Actions} act */
function navigation(state, act) {
  return h(
    "nav",
    { "aria-label": "Views", class: "nav" },
    VIEWS.map(([view, word]) =>
      h(
        "a",
        { key: view, href: PATHS[view], "aria-current": state.view === view ? "page" : null, onclick: go(act, view) },
        word,
      ),
    ),
  );
}

/**
 * Links stay links: a middle click or a modifier opens a tab as ever.
 *
 * @param {Actions} act
 * @param {View} view
 */
const go = (act, view) => (/** @type {MouseEvent} */ event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  act.page.open(view);
};

/** @param {State} state */
function link(state) {
  const links = [state.links.farm, state.links.session];
  if (links.includes("lost")) {
    return h(
      "span",
      { class: "link lost", role: "status", key: "link" },
      h("span", { class: "link-dot" }),
      "Connection lost, trying again",
    );
  }
  const live = links.includes("live");
  return h(
    "span",
    { class: live ? "link live" : "link", role: "status", key: "link" },
    h("span", { class: "link-dot" }),
    live ? "Live" : links.includes("connecting") ? "Connecting" : "Ready",
  );
}

/** @param {State} state @param {Actions} act */
function key(state, act) {
  const { key } = state.auth;
  return h(
    "span",
    { class: "who", key: "who" },
    h("span", { class: "who-name", title: key?.id ?? "" }, key?.name || "key"),
    h(
      "button",
      {
        type: "button",
        class: "button bare square",
        "aria-label": "Sign out",
        title: "Sign out",
        onclick: () => void act.page.signOut(),
      },
      icon("out"),
    ),
  );
}

/** The mark: a mouth. @returns {VNode} */
function mark() {
  return h(
    "svg",
    { class: "mark", viewBox: "0 0 32 32", width: 28, height: 28, "aria-hidden": "true" },
    h("rect", { width: 32, height: 32, rx: 8, class: "mark-ground" }),
    h("path", {
      class: "mark-lip",
      d: "M6 15c3-4 6-5 7.600-4.200 1 .5 1.500.9 2.400.9s1.400-.4 2.400-.9C20 10 23 11 26 15c-2.500 5-6 7-10 7s-7.500-2-10-7Z",
    }),
    h("path", {
      class: "mark-ground",
      d: "M9.500 15.300c2.200-.9 4.300-.7 6.500-.7s4.300-.2 6.500.7c-2 1.900-4.200 2.500-6.500 2.500s-4.500-.6-6.500-2.500Z",
    }),
  );
}

/**
 * @param {State} state
 * @param {Actions} act
 * @returns {VNode}
 */
export function signIn(state, act) {
  const { busy, problem } = state.auth;
  return h(
    "form",
    {
      class: "signin card",
      key: "signin",
      onsubmit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const form = /** @type {HTMLFormElement} */ (event.target);
        const given = String(new FormData(form).get("key") ?? "").trim();
        if (given !== "") void act.page.signIn(given);
      },
    },
    h("h1", null, "Sign in"),
    h(
      "p",
      { class: "muted" },
      "This page opens with a link. ",
      h("code", null, "mouthpiece up"),
      " prints one in its terminal when it starts, and ",
      h("code", null, "mouthpiece page-link"),
      " another at any time. Each lets one browser in.",
    ),
    h("p", { class: "muted", id: "key-hint" }, "No terminal at hand? Paste an API key instead."),
    h(
      "label",
      { class: "field" },
      h("span", null, "Key"),
      h("input", {
        name: "key",
        type: "password",
        autocomplete: "off",
        spellcheck: "false",
        placeholder: "mp_…",
        required: true,
        init: focusSoon,
        "aria-describedby": "key-hint",
      }),
    ),
    problem ? problemBox(problem) : null,
    h("button", { class: "button primary wide", disabled: busy }, busy ? "Signing in…" : "Sign in"),
  );
}

/**
 * @param {State} state
 * @param {Actions} act
 * @returns {VNode}
 */
export function unreachableNote(state, act) {
  const { problem } = state.auth;
  return h(
    "div",
    { class: "signin card", key: "unreachable" },
    h("h1", null, "No connection"),
    problem ? problemBox(problem, { retry: () => void act.page.check() }) : null,
  );
}

/**
 * @param {string} scope
 * @param {string} what
 * @returns {VNode}
 */
export function lacksScope(scope, what) {
  return h(
    "div",
    { class: "empty card", key: "scope" },
    h("h1", null, "Not with this key"),
    h(
      "p",
      null,
      `${what} needs a key with the scope `,
      h("code", null, scope),
      ". Sign out and in again with such a key, or ask whoever keeps the keys.",
    ),
  );
}
