/** Starts the page: state, actions, streams, and one draw function from state to document. */
import { keepFeeds } from "./actions/feeds.js";
import { createActions } from "./actions/index.js";
import { linkOf, viewOf } from "./actions/page.js";
import { patch } from "./core/dom.js";
import { Store, oncePerFrame } from "./core/store.js";
import { costView } from "./cost/view.js";
import { farmView } from "./farm/view.js";
import { lacksScope, shell, signIn, unreachableNote } from "./parts/shell.js";
import { initialState, may } from "./state/state.js";
import { clockMoved } from "./state/page.js";
import { currentSession } from "./state/studio.js";
import { studioView } from "./studio/view.js";

const store = new Store(initialState(viewOf(location.pathname), Date.now()));
const act = createActions(store);
if (location.hash === "#video") act.live.mode("video");
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
const said = /** @type {HTMLElement} */ (document.getElementById("said"));

/** @param {import("./state/state.js").State} state */
function content(state) {
  switch (state.auth.phase) {
    case "checking":
      return null;
    case "out":
      return signIn(state, act);
    case "unreachable":
      return unreachableNote(state, act);
    case "in":
      if (state.view === "studio") return studioView(state, act);
      if (state.view === "farm") return may(state, "farm") ? farmView(state, act) : lacksScope("farm", "The farm");
      return may(state, "reports") ? costView(state, act) : lacksScope("reports", "The cost report");
  }
}

const draw = oncePerFrame(() => {
  const state = store.get();
  patch(root, shell(state, act, content(state)));
  if (said.textContent !== state.said) said.textContent = state.said;
});

/** Fetches what a view needs when it is opened, and once somebody is signed in. */
let fetchedFor = "";
function fetchForView() {
  const { auth, view } = store.get();
  const wanted = auth.phase === "in" ? `${auth.key?.id} ${view}` : "";
  if (wanted === fetchedFor) return;
  fetchedFor = wanted;
  if (wanted === "") return;
  if (view === "cost") {
    if (may(store.get(), "reports")) void act.farm.cost();
    return;
  }
  void act.lists.ages();
  void act.lists.avatars();
  void act.lists.sessions();
}

store.listen(draw);
store.listen(fetchForView);
keepFeeds(store, {
  avatars: () => act.lists.avatars(),
  sessions: () => act.lists.sessions(),
  check: () => act.page.check(),
});

/** What a press on Space acts upon by itself. */
const PRESSABLE = "button, a, input, select, textarea, summary, audio, video, [tabindex='0']";

// A link that is pasted into a page that is open already loads nothing.
window.addEventListener("hashchange", () => linkOf(location.hash) !== null && void act.page.check());
window.addEventListener("popstate", () => act.page.open(viewOf(location.pathname)));
window.addEventListener("keydown", (event) => {
  const { sending, mode } = store.get().studio;
  if (store.get().auth.phase !== "in" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (store.get().view === "studio" && mode === "live") {
    if (event.key === "Escape") act.live.end();
    const own = event.target instanceof Element && event.target.closest(PRESSABLE) !== null;
    if (event.key !== " " || event.repeat || own) return;
    event.preventDefault();
    void act.live.talk();
    return;
  }
  const open = currentSession(store.get());
  const running = sending !== null || (open !== null && open.state !== "ended");
  if (event.key !== "Escape" || store.get().view !== "studio") return;
  if (store.get().recorder.phase !== "off") act.recorder.discard();
  else if (running) void act.studio.cancel();
});
// A file dropped beside its place must not replace the page.
for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
setInterval(() => store.update(clockMoved, Date.now()), 1000);

draw();
void act.page.check();
