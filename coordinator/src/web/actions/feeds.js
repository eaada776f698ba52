/**
 * Keeps the right streams open: the farm's while somebody looks, the session's on the stage until it has ended.
 * A browser opens six connections to a server at most, over all tabs: two a tab, one when hidden, is what this uses.
 *
 * @import { Store } from "../core/store.js"
 * @import { Farm, Session } from "../core/types.js"
 * @import { State } from "../state/state.js"
 */
import { openFeed } from "../core/feed.js";
import { farmArrived } from "../state/farm.js";
import { announced, linkChanged } from "../state/page.js";
import { sessionArrived } from "../state/sessions.js";
import { may } from "../state/state.js";
import { isTalking, talkSession, talkWords } from "../state/live.js";
import { currentSession } from "../state/studio.js";
import { endSentence, sessionWords } from "../state/words.js";

/** How often a key that may not watch the farm asks for what changes, ms. */
const POLL_MS = 2_500;

/**
 * @param {Store<State>} store
 * @param {{avatars: () => Promise<void>, sessions: () => Promise<void>, check: () => Promise<void>}} fetches
 */
export function keepFeeds(store, fetches) {
  /** @type {{key: string, close: () => void}|null} */
  let farm = null;
  /** @type {{key: string, close: () => void}|null} */
  let session = null;
  let spoken = "";
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let avatarsSoon;

  /** Several prepared faces in a row are one request. */
  const askAvatars = () => {
    clearTimeout(avatarsSoon);
    avatarsSoon = setTimeout(() => void fetches.avatars(), 150);
  };

  /** @param {Session} told */
  const onSession = (told) => {
    store.update(sessionArrived, told, performance.now());
    const unknown = !store.get().avatars.list.some((a) => a.id === told.avatar_id && a.state !== "preparing");
    if (told.kind === "prepare" || (told.state !== "requested" && unknown)) askAvatars();
  };

  const openFarm = () => {
    let wasLost = false;
    return openFeed(
      "v1/events",
      {
        farm: (told) => store.update(farmArrived, /** @type {Farm} */ (told), performance.now()),
        session: onSession,
      },
      (link) => {
        store.update(linkChanged, "farm", link);
        if (link === "lost") {
          wasLost = true;
          void fetches.check();
        } else if (link === "live" && wasLost) {
          // What happened meanwhile was not heard.
          wasLost = false;
          void fetches.avatars();
          void fetches.sessions();
        }
      },
    );
  };

  const sync = () => {
    const state = store.get();
    const inside = state.auth.phase === "in";
    const farmKey = inside && may(state, "farm") && !document.hidden ? "farm" : null;
    if ((farm?.key ?? null) !== farmKey) {
      farm?.close();
      farm = farmKey === null ? null : { key: farmKey, close: () => {} };
      if (farm !== null) farm.close = openFarm();
      else store.update(linkChanged, "farm", "off");
    }
    const shown = isTalking(state) ? talkSession(state) : currentSession(state);
    const sessionKey = inside && shown !== null && shown.state !== "ended" ? shown.id : null;
    if ((session?.key ?? null) !== sessionKey) {
      session?.close();
      session = sessionKey === null ? null : { key: sessionKey, close: () => {} };
      if (session !== null) {
        const url = `v1/sessions/${encodeURIComponent(session.key)}/events`;
        session.close = openFeed(url, { session: onSession }, (link) => {
          store.update(linkChanged, "session", link);
          if (link === "lost") void fetches.check();
        });
      } else store.update(linkChanged, "session", "off");
    }
    speak(state);
  };

  /** @param {State} state announces the stage's session, in quarters while it renders */
  const speak = (state) => {
    if (isTalking(state)) {
      // Who listens to the face needs no word for each of its moods.
      const said = state.talk.phase === "live" ? "The face is live" : talkWords(state).word;
      if (spoken !== said) store.update(announced, said);
      spoken = said;
      return;
    }
    const shown = currentSession(state);
    if (shown === null) return;
    const words = sessionWords(shown);
    const quarter = words.percent === null ? "" : ` ${Math.floor(words.percent / 25) * 25}%`;
    const why = shown.end && shown.end.reason !== "completed" ? `: ${endSentence(shown.end)}` : "";
    const said = shown.state === "ended" ? words.word + why : words.word + quarter;
    if (spoken === shown.id + said) return;
    spoken = shown.id + said;
    store.update(announced, said);
  };

  const poll = () => {
    const state = store.get();
    if (state.auth.phase !== "in" || document.hidden || state.links.farm === "live") return;
    if (state.avatars.list.some((a) => a.state === "preparing")) void fetches.avatars();
    const { current } = state.studio;
    const others = Object.values(state.sessions.byId).some((s) => s.state !== "ended" && s.id !== current);
    if (others) void fetches.sessions();
  };

  store.listen(sync);
  document.addEventListener("visibilitychange", sync);
  setInterval(poll, POLL_MS);
  sync();
}
