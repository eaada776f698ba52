/**
 * What one does in the Studio: pick a face and a recording, render, cancel, try again.
 *
 * @import { Store } from "../core/store.js"
 * @import { Options, Session } from "../core/types.js"
 * @import { Inputs, Pick, State } from "../state/state.js"
 */
import { ask, randomId, upload } from "../core/api.js";
import { refusedHere } from "../core/problem.js";
import { announced } from "../state/page.js";
import { sessionArrived } from "../state/sessions.js";
import {
  avatarChosen,
  currentSession,
  missing,
  optionsChanged,
  portraitPicked,
  renderAccepted,
  sendingFailed,
  sendingMoved,
  sendingStarted,
  sessionShown,
  speechPicked,
  studioFailed,
} from "../state/studio.js";
import { SAMPLE, sampleFile } from "./files.js";

/**
 * @param {Store<State>} store
 * @param {{failed: (error: unknown) => import("../core/types.js").Problem, avatars: () => Promise<void>}} lists
 */
export function studioActions(store, lists) {
  /** @type {AbortController|null} the upload under way */
  let sending = null;
  /** The idempotency key of inputs whose upload broke: the next try of the same inputs must not render twice. */
  let unsure = { inputs: "", key: "" };

  /** @param {Inputs} inputs @param {boolean} sample */
  async function send(inputs, sample) {
    sending?.abort();
    const own = new AbortController();
    sending = own;
    store.update(sendingStarted, sample);
    const print = fingerprint(inputs);
    if (unsure.inputs !== print) unsure = { inputs: print, key: `page-${randomId()}` };
    try {
      const { body, requestId } = /** @type {{body: Session, requestId: string}} */ (
        await upload("v1/renders", formOf(inputs), {
          progress: (percent) => store.update(sendingMoved, percent),
          signal: own.signal,
          idempotencyKey: unsure.key,
        })
      );
      unsure = { inputs: "", key: "" };
      store.update(renderAccepted, body, inputs, requestId);
      store.update(sessionArrived, body, performance.now());
      void lists.avatars();
    } catch (error) {
      if (own.signal.aborted) {
        if (sending === own) store.update(sendingFailed, null);
        return;
      }
      const problem = lists.failed(error);
      // An answer settles it; only silence leaves it open whether the server took the render.
      if (problem.status !== 0) unsure = { inputs: "", key: "" };
      store.update(sendingFailed, problem);
    }
  }

  return {
    /** @param {File} file */
    pickPortrait(file) {
      forget(store.get().studio.portrait, store.get());
      store.update(portraitPicked, pickOf(file, file.name));
    },
    dropPortrait() {
      store.update(portraitPicked, null);
    },
    /** @param {File} file @param {boolean} [recorded] just now, here */
    pickSpeech(file, recorded = false) {
      forget(store.get().studio.speech, store.get());
      store.update(speechPicked, { ...pickOf(file, file.name), recorded });
    },
    dropSpeech() {
      store.update(speechPicked, null);
    },
    /** @param {string} id */
    chooseAvatar(id) {
      store.update(avatarChosen, id);
    },
    /** @param {Partial<Options>} change */
    setOptions(change) {
      store.update(optionsChanged, change);
    },

    async render() {
      const state = store.get();
      const lacking = missing(state);
      const { portrait, avatarId, speech, options } = state.studio;
      if (lacking !== null || speech === null) {
        store.update(studioFailed, refusedHere(lacking ?? "Choose a recording.", null));
        return;
      }
      await send({ portrait, avatarId, speech, options }, false);
    },

    /** The prepared face and recording, as if the user had picked them. */
    async trySample() {
      store.update(sendingStarted, true);
      try {
        const [face, voice] = await Promise.all([
          sampleFile(SAMPLE.portrait, "image/jpeg"),
          sampleFile(SAMPLE.speech, "audio/wav"),
        ]);
        const portrait = pickOf(face, "officer.jpg");
        const speech = pickOf(voice, "speech.wav");
        store.update(portraitPicked, portrait);
        store.update(speechPicked, speech);
        await send({ portrait, avatarId: null, speech, options: store.get().studio.options }, true);
      } catch {
        store.update(
          sendingFailed,
          refusedHere("The sample did not load. Reload the page, or drop your own files.", null),
        );
      }
    },

    /** Stops an upload, or cancels the session on the stage. */
    async cancel() {
      if (store.get().studio.sending !== null) {
        sending?.abort();
        store.update(sendingFailed, null);
        store.update(announced, "Upload stopped");
        return;
      }
      const session = currentSession(store.get());
      if (session === null || session.state === "ended") return;
      try {
        const told = /** @type {Session} */ (await ask("DELETE", `v1/sessions/${encodeURIComponent(session.id)}`));
        if (told) store.update(sessionArrived, told, performance.now());
        store.update(announced, "Cancelling");
      } catch (error) {
        store.update(studioFailed, lists.failed(error));
      }
    },

    /** @param {string} id */
    show(id) {
      store.update(sessionShown, id);
    },

    /** Leaves the result and goes back to choosing. */
    clear() {
      store.update(sessionShown, null);
    },

    /** @param {Session} session again with the same inputs, or as much of them as this tab still has */
    async retry(session) {
      const inputs = store.get().studio.inputs[session.id];
      if (inputs !== undefined) {
        if (inputs.portrait === null) store.update(avatarChosen, inputs.avatarId);
        else store.update(portraitPicked, inputs.portrait);
        store.update(speechPicked, inputs.speech);
        await send(inputs, false);
        return;
      }
      const { fps, crop, preset, seed, head, motion, expression, blinks, ...told } = session.options;
      const size = told.size_up_to === null ? told.size : null;
      store.update(avatarChosen, session.avatar_id);
      store.update(optionsChanged, { fps, size, crop, preset, seed, head, motion, expression, blinks });
      store.update(announced, "The face and options are set: choose the recording again");
    },
  };
}

/** @param {Blob} file @param {string} name @returns {Pick} */
export function pickOf(file, name) {
  return { file, name, url: URL.createObjectURL(file), video: file.type.startsWith("video/") };
}

/**
 * Frees a pick's memory, unless a render that can be tried again still holds it.
 *
 * @param {Pick|null} pick
 * @param {State} state
 */
function forget(pick, state) {
  const held = Object.values(state.studio.inputs).some((i) => i.portrait === pick || i.speech === pick);
  if (pick !== null && !held) URL.revokeObjectURL(pick.url);
}

/** @param {Inputs} inputs @returns {FormData} */
export function formOf({ portrait, avatarId, speech, options }) {
  const form = new FormData();
  if (portrait === null) form.append("avatar_id", avatarId ?? "");
  for (const [name, value] of Object.entries(options)) {
    if (value !== null && value !== undefined) form.append(name, String(value));
  }
  form.append("metadata", JSON.stringify({ recording: speech.name.slice(0, 100) }));
  // Files last: the server can refuse a bad option before it has read them.
  if (portrait !== null) form.append("portrait", portrait.file, portrait.name);
  form.append("speech", speech.file, speech.name);
  return form;
}

/** @param {Inputs} inputs @returns {string} the same for the same inputs */
function fingerprint({ portrait, avatarId, speech, options }) {
  return JSON.stringify([portrait?.url ?? avatarId, speech.url, options]);
}
