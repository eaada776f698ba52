/**
 * Fetching what the server holds: avatars and sessions; adding and deleting avatars.
 *
 * @import { Store } from "../core/store.js"
 * @import { Avatar, Retention, Session } from "../core/types.js"
 * @import { State } from "../state/state.js"
 * @import { SampleFace } from "./files.js"
 */
import { ask, problemOf, upload } from "../core/api.js";
import { refusedHere } from "../core/problem.js";
import { agesTold, announced } from "../state/page.js";
import {
  addingChanged,
  avatarArrived,
  avatarGone,
  avatarsFailed,
  avatarsListed,
  deletingChanged,
  sessionArrived,
  sessionsFailed,
  sessionsListed,
} from "../state/sessions.js";
import { avatarChosen } from "../state/studio.js";
import { sampleFile } from "./files.js";

/** @typedef {{file: Blob, name: string} | {url: string, name: string}} NewAvatar */

/**
 * @param {Store<State>} store
 * @param {{check: () => Promise<void>}} page
 */
export function listActions(store, page) {
  /** @type {AbortController|null} */
  let adding = null;

  /**
   * The failure for the state; a sign-in that has ended is handled here once for all.
   *
   * @param {unknown} error
   */
  const failed = (error) => {
    const problem = problemOf(error);
    if (problem.status === 401) void page.check();
    return problem;
  };

  return {
    failed,

    async avatars() {
      try {
        const { avatars } = /** @type {{avatars: Avatar[]}} */ (await ask("GET", "v1/avatars?limit=100"));
        store.update(avatarsListed, avatars);
      } catch (error) {
        store.update(avatarsFailed, failed(error));
      }
    },

    /** How long things are kept. The page works without it, and asks again when a view is opened. */
    async ages() {
      if (store.get().kept !== null) return;
      try {
        store.update(agesTold, /** @type {Retention} */ (await ask("GET", "v1/retention")));
      } catch (error) {
        failed(error);
      }
    },

    /** The newest sessions. */
    async sessions() {
      try {
        const list = /** @type {{sessions: Session[], next: string|null}} */ (
          await ask("GET", "v1/sessions?limit=50")
        );
        store.update(sessionsListed, list.sessions, list.next ?? null, performance.now());
      } catch (error) {
        store.update(sessionsFailed, failed(error));
      }
    },

    /** The sessions before those that are known. */
    async olderSessions() {
      const { next } = store.get().sessions;
      if (next === null) return;
      try {
        const path = `v1/sessions?limit=50&before=${encodeURIComponent(next)}`;
        const list = /** @type {{sessions: Session[], next: string|null}} */ (await ask("GET", path));
        store.update(sessionsListed, list.sessions, list.next ?? null, performance.now());
      } catch (error) {
        store.update(sessionsFailed, failed(error));
      }
    },

    /** @param {string} id */
    async session(id) {
      try {
        const session = /** @type {Session} */ (await ask("GET", `v1/sessions/${encodeURIComponent(id)}`));
        store.update(sessionArrived, session, performance.now());
      } catch (error) {
        store.update(sessionsFailed, failed(error));
      }
    },

    /** @param {boolean} open */
    showAdding(open) {
      store.update(addingChanged, { open, problem: null });
    },

    /** @param {NewAvatar} given */
    async addAvatar(given) {
      adding?.abort();
      const own = new AbortController();
      adding = own;
      store.update(addingChanged, { open: true, percent: 0, problem: null });
      try {
        const avatar = "url" in given ? await byUrl(given.url, given.name) : await byFile(given.file, given.name, own);
        store.update(avatarArrived, avatar);
        store.update(avatarChosen, avatar.id);
        store.update(addingChanged, { open: false, percent: null });
        store.update(announced, `${given.name || "The face"} is added`);
      } catch (error) {
        if (own.signal.aborted) {
          if (adding === own) store.update(addingChanged, { percent: null });
          return;
        }
        store.update(addingChanged, { percent: null, problem: failed(error) });
      }
    },

    /** @param {SampleFace} face */
    async addSample(face) {
      try {
        const file = await sampleFile(face.path, face.type);
        await this.addAvatar({ file, name: face.name });
      } catch {
        const problem = refusedHere("The sample did not load. Reload the page, or choose your own picture.", null);
        store.update(addingChanged, { percent: null, problem });
      }
    },

    stopAdding() {
      adding?.abort();
      store.update(addingChanged, { open: false, percent: null, problem: null });
    },

    /** @param {string|null} id asks first; null takes the question back */
    askDelete(id) {
      store.update(deletingChanged, id === null ? null : { id, busy: false, problem: null });
    },

    /** @param {string} id */
    async deleteAvatar(id) {
      store.update(deletingChanged, { id, busy: true, problem: null });
      try {
        await ask("DELETE", `v1/avatars/${encodeURIComponent(id)}`);
        store.update(avatarGone, id);
        store.update(announced, "The face is deleted");
      } catch (error) {
        store.update(deletingChanged, { id, busy: false, problem: failed(error) });
      }
    },
  };

  /**
   * @param {string} url
   * @param {string} name
   * @returns {Promise<Avatar>}
   */
  async function byUrl(url, name) {
    return await ask("POST", "v1/avatars", { json: name ? { url, name } : { url } });
  }

  /**
   * @param {Blob} file
   * @param {string} name
   * @param {AbortController} own
   * @returns {Promise<Avatar>}
   */
  async function byFile(file, name, own) {
    const form = new FormData();
    if (name) form.append("name", name);
    form.append("image", file, name || "portrait");
    const progress = (/** @type {number} */ percent) => store.update(addingChanged, { percent });
    const { body } = await upload("v1/avatars", form, { progress, signal: own.signal });
    return /** @type {Avatar} */ (body);
  }
}
