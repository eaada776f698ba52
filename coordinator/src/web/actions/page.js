/**
 * Signing in and out, and moving between the views.
 *
 * @import { Store } from "../core/store.js"
 * @import { KeyInfo } from "../core/types.js"
 * @import { State, View } from "../state/state.js"
 */
import { ask, problemOf } from "../core/api.js";
import { announced, signedIn, signedOut, signingIn, unreachable, viewOpened } from "../state/page.js";

/** @type {Record<View, string>} */
export const PATHS = { studio: "/studio", farm: "/farm", cost: "/cost" };

/**
 * @param {string} path
 * @returns {View}
 */
export function viewOf(path) {
  if (path.startsWith("/farm")) return "farm";
  if (path.startsWith("/cost")) return "cost";
  return "studio";
}

/**
 * The key of this page. A server on this machine may have been started anew and forgotten the page's cookie: it gives
 * a new one with the page itself, so that is asked for once.
 *
 * @returns {Promise<KeyInfo>}
 */
async function whoAmI() {
  const me = async () => /** @type {{key: KeyInfo}} */ (await ask("GET", "/v1/page/session")).key;
  try {
    return await me();
  } catch (error) {
    if (problemOf(error).status !== 401) throw error;
    await fetch("/", { credentials: "same-origin" }).catch(() => null);
    return await me();
  }
}

/** @param {Store<State>} store */
export function pageActions(store) {
  return {
    /** Asks who is signed in. */
    async check() {
      try {
        store.update(signedIn, await whoAmI());
      } catch (error) {
        const problem = problemOf(error);
        const wasIn = store.get().auth.phase === "in";
        // A first visit without a key is no failure; a broken connection is one.
        if (problem.status === 401) store.update(signedOut, wasIn ? problem : null);
        else if (!wasIn) store.update(unreachable, problem);
      }
    },

    /** @param {string} key */
    async signIn(key) {
      store.update(signingIn);
      try {
        await ask("POST", "/v1/page/session", { json: { key } });
      } catch (error) {
        store.update(signedOut, problemOf(error));
        return;
      }
      await this.check();
    },

    async signOut() {
      try {
        await ask("DELETE", "/v1/page/session");
        store.update(signedOut, null);
        store.update(announced, "Signed out");
      } catch (error) {
        store.update(unreachable, problemOf(error));
      }
    },

    /** @param {View} view */
    open(view) {
      if (viewOf(location.pathname) !== view) history.pushState(null, "", PATHS[view]);
      store.update(viewOpened, view);
      document.title = view === "studio" ? "Mouthpiece" : `${view === "farm" ? "Farm" : "Cost"} · Mouthpiece`;
    },
  };
}
