/**
 * The still picture on the stage.
 *
 * @import { State } from "../state/state.js"
 */
import { h } from "../core/dom.js";
import { icon } from "../parts/icons.js";
import { picture as imageOf } from "../parts/pieces.js";

/** @typedef {{url: string, video: boolean, alt: string}} Picture */

/** @type {Picture} */
export const SAMPLE_PICTURE = {
  url: "assets/samples/officer.jpg",
  video: false,
  alt: "The sample portrait: a navy officer with spectacles, seen from the front",
};

/**
 * The face that is chosen for what comes next.
 *
 * @param {State} state
 * @returns {Picture|null}
 */
export function chosenPicture(state) {
  const { portrait, avatarId } = state.studio;
  if (portrait) return { url: portrait.url, video: portrait.video, alt: "The portrait" };
  return avatarPicture(state, avatarId);
}

/**
 * @param {State} state
 * @param {string|null} id
 * @returns {Picture|null} null until it has a preview
 */
export function avatarPicture(state, id) {
  const avatar = state.avatars.list.find((a) => a.id === id);
  return avatar?.preview ? { url: avatar.preview, video: false, alt: avatar.name || "The chosen face" } : null;
}

/** @param {Picture|null} picture */
export function shown(picture) {
  if (picture === null)
    return h(
      "div",
      { class: "no-face", key: "no-face" },
      icon("face"),
      h("span", null, "The picture is not ready yet"),
    );
  if (picture.video) {
    return h("video", {
      class: "face",
      key: picture.url,
      src: picture.url,
      muted: true,
      autoplay: true,
      playsinline: true,
      "aria-label": picture.alt,
    });
  }
  return [
    imageOf({ class: "face", key: picture.url, src: picture.url, alt: picture.alt }),
    h("div", { class: "no-face behind", key: "behind" }, icon("face"), h("span", null, "This picture cannot be shown")),
  ];
}
