/**
 * Signing in and out, and moving between the views.
 *
 * @import { Store } from "../core/store.js"
 * @import { KeyInfo, Problem } from "../core/types.js"
 * @import { State, View } from "../state/state.js"
 */
import { ask, problemOf } from "../core/api.js";
import { announced, signedIn, signedOut, signingIn, unreachable, viewOpened } from "../state/page.js";

/** @type {Record<View, string>} */
export const PATHS = { studio: "studio", farm: "farm", cost: "cost" };

/**
 * @param {string} path
 * @returns {View}
 */
export function viewOf(path) {
  const last = path.split("/").pop();
  return last === "farm" || last === "cost" ? last : "studio";
}

/**
 * What opens the page, in the address of a link that `mouthpiece up` printed.
 *
 * @param {string} hash of the address
 * @returns {string|null}
 */
export function linkOf(hash) {
  return /^#open=([\w-]{1,200})$/.exec(hash)?.[1] ?? null;
}

/**
 * Follows the link that this page was opened with, if it was, and takes it out of the address. A page that a browser loads
 * ahead waits until somebody looks: the link is good once.
 *
 * @returns {Promise<Problem|null>} why it does not open the page
 */
async function followLink() {
  const link = linkOf(location.hash);
  if (link === null) return null;
  if (Reflect.get(document, "prerendering") === true) {
    await new Promise((done) => document.addEventListener("prerenderingchange", done, { once: true }));
  }
  /** @type {Problem|null} */
  let refused = null;
  try {
    await ask("POST", "v1/page/session", { json: { link } });
  } catch (error) {
    refused = problemOf(error);
    // Without an answer it may still be good.
    if (refused.status !== 401) throw error;
  }
  history.replaceState(null, "", location.pathname);
  return refused;
}

/** @param {Store<State>} store */
export function pageActions(store) {
  return {
    /** Asks who is signed in. */
    async check() {
      /** @type {Problem|null} */
      let refused = null;
      try {
        refused = await followLink();
        const { key } = /** @type {{key: KeyInfo}} */ (await ask("GET", "v1/page/session"));
        // Whoever is let in by a cookie needs no link.
        store.update(signedIn, key);
      } catch (error) {
        const problem = problemOf(error);
        const wasIn = store.get().auth.phase === "in";
        // A first visit without a key is no failure; a broken connection is one.
        if (problem.status === 401) store.update(signedOut, refused ?? (wasIn ? problem : null));
        else if (!wasIn) store.update(unreachable, problem);
      }
    },

    /** @param {string} key */
    async signIn(key) {
      store.update(signingIn);
      try {
        await ask("POST", "v1/page/session", { json: { key } });
      } catch (error) {
        store.update(signedOut, problemOf(error));
        return;
      }
      await this.check();
    },

    async signOut() {
      try {
        await ask("DELETE", "v1/page/session");
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
