/**
 * The strip of faces: choose, add, delete.
 *
 * @import { Actions } from "../actions/index.js"
 * @import { Avatar } from "../core/types.js"
 * @import { State } from "../state/state.js"
 */
import { SAMPLE_FACES } from "../actions/files.js";
import { h } from "../core/dom.js";
import { PORTRAIT } from "../core/taken.js";
import { glyph } from "../parts/glyph.js";
import { icon } from "../parts/icons.js";
import { dropTarget, dropZone, focusSoon, meter, picture as image, problemBox, question } from "../parts/pieces.js";
import { deletedWords, keptWords } from "../state/kept.js";
import { capital } from "../state/words.js";

/** What stands under a picture instead of its name. */
const STATE_WORDS = { preparing: "Preparing", ready: null, failed: "Failed" };

/**
 * @param {State} state
 * @param {Actions} act
 */
export function avatarStrip(state, act) {
  const { avatars } = state;
  const add = (/** @type {File} */ file) => void act.lists.addAvatar({ file, name: baseName(file.name) });
  return h(
    "div",
    { class: "avatars", key: "avatars", ...dropTarget(add) },
    h(
      "ul",
      { class: "strip", "aria-label": "Your faces" },
      h(
        "li",
        { key: "add" },
        h(
          "button",
          {
            type: "button",
            class: "tile add",
            "aria-expanded": String(avatars.adding.open),
            onclick: () => act.lists.showAdding(!avatars.adding.open),
          },
          h("span", { class: "tile-picture" }, icon("plus")),
          h("span", { class: "tile-name" }, "Add"),
        ),
      ),
      usableFirst(avatars.list).map((avatar) => tile(avatar, state.studio.avatarId === avatar.id, act)),
    ),
    avatars.phase === "loading" ? h("p", { class: "muted", key: "loading" }, "Loading the faces…") : null,
    avatars.problem
      ? problemBox(avatars.problem, { retry: () => void act.lists.avatars(), key: "avatars-problem" })
      : null,
    avatars.adding.open ? addPanel(state, act) : null,
    deleteQuestion(state, act),
    notes(state),
  );
}

/** Faces that failed stand last, in the way of none. @param {Avatar[]} list */
const usableFirst = (list) => {
  const failed = (/** @type {Avatar} */ avatar) => avatar.state === "failed";
  return [...list.filter((avatar) => !failed(avatar)), ...list.filter(failed)];
};

/** @param {Avatar} avatar @param {boolean} chosen @param {Actions} act */
function tile(avatar, chosen, act) {
  const name = avatar.name || "Unnamed";
  const picture = avatar.preview
    ? image({ src: avatar.preview, alt: "", loading: "lazy", key: "preview" })
    : glyph(avatar.state === "failed" ? "failed" : "waiting");
  return h(
    "li",
    { key: avatar.id, class: "tile-place" },
    h(
      "button",
      {
        type: "button",
        class: `tile ${avatar.state}`,
        "aria-pressed": String(chosen),
        title: name,
        onclick: () => act.studio.chooseAvatar(avatar.id),
      },
      h("span", { class: "tile-picture" }, picture),
      h("span", { class: "tile-name" }, STATE_WORDS[avatar.state] ?? name),
      h("span", { class: "visually-hidden" }, avatar.state === "ready" ? " ready" : ` ${name}`),
    ),
    h(
      "button",
      {
        type: "button",
        class: "tile-delete",
        "aria-label": `Delete ${name}`,
        title: `Delete ${name}`,
        onclick: () => act.lists.askDelete(avatar.id),
      },
      icon("close"),
    ),
  );
}

/** Why faces failed, and what was noticed about the chosen one. @param {State} state */
function notes(state) {
  const failed = state.avatars.list.filter((a) => a.state === "failed").slice(0, 3);
  const chosen = state.avatars.list.find((a) => a.id === state.studio.avatarId);
  return [
    failed.map((avatar) =>
      h(
        "p",
        { class: "note bad", key: `note-${avatar.id}` },
        glyph("failed"),
        h(
          "span",
          null,
          h("strong", null, avatar.name || "Unnamed"),
          " ",
          capital(avatar.detail ?? "it could not be prepared"),
        ),
      ),
    ),
    chosen?.framing ? h("p", { class: "note muted", key: "framing" }, `Shown as ${chosen.framing}.`) : null,
    (chosen?.warnings ?? []).map((warning) => h("p", { class: "note", key: warning }, capital(warning))),
  ];
}

/** @param {State} state @param {Actions} act */
function addPanel(state, act) {
  const { percent, problem } = state.avatars.adding;
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const url = String(form.get("url") ?? "").trim();
    if (url !== "") void act.lists.addAvatar({ url, name: String(form.get("name") ?? "").trim() });
  };
  /** @param {File} file */
  const file = (file) => {
    const name = /** @type {HTMLInputElement|null} */ (document.getElementById("avatar-name"))?.value.trim();
    void act.lists.addAvatar({ file, name: name || baseName(file.name) });
  };
  return h(
    "form",
    {
      class: "panel",
      key: "adding",
      "aria-label": "Add a face",
      onsubmit: submit,
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        act.lists.stopAdding();
      },
    },
    h(
      "label",
      { class: "field" },
      h("span", null, "Name"),
      h("input", {
        id: "avatar-name",
        name: "name",
        maxlength: 100,
        autocomplete: "off",
        placeholder: "as the file",
        init: focusSoon,
      }),
    ),
    percent === null
      ? dropZone({
          id: "avatar-file",
          label: "Drop a picture, or choose one",
          hint: "or give its address below",
          accept: PORTRAIT.accept,
          icon: "upload",
          onFile: file,
        })
      : h(
          "div",
          { class: "progress", key: "progress" },
          h("p", null, `Uploading ${Math.floor(percent)}%`),
          meter(percent, "Uploading the picture"),
        ),
    h(
      "div",
      { class: "row end" },
      h(
        "label",
        { class: "field grow" },
        h("span", null, "Address"),
        h("input", { name: "url", type: "url", placeholder: "https://…", autocomplete: "off" }),
      ),
      h("button", { class: "button", disabled: percent !== null }, icon("link"), "Add"),
    ),
    percent === null ? samples(act) : null,
    state.kept ? h("p", { class: "muted hint", key: "kept" }, keptWords(state.kept, true)) : null,
    problem ? problemBox(problem, { key: "adding-problem" }) : null,
    h("button", { type: "button", class: "button bare", onclick: () => act.lists.stopAdding() }, "Close"),
  );
}

/** Faces for who has no picture at hand. @param {Actions} act */
const samples = (act) =>
  h(
    "div",
    { class: "samples", key: "samples", role: "group", "aria-label": "Faces that come with the page" },
    SAMPLE_FACES.map((face) =>
      h(
        "button",
        { type: "button", class: "tile", key: face.path, onclick: () => void act.lists.addSample(face) },
        h("span", { class: "tile-picture" }, image({ src: face.path, alt: "", loading: "lazy" })),
        h("span", { class: "tile-name" }, face.name),
      ),
    ),
  );

/** @param {State} state @param {Actions} act */
function deleteQuestion(state, act) {
  const { deleting, list } = state.avatars;
  if (deleting === null) return null;
  const avatar = list.find((a) => a.id === deleting.id);
  return question({
    title: `Delete ${avatar?.name || "this face"}?`,
    words: [
      `It goes from the list at once, ${deletedWords(state.kept)} Videos that were made stay as long as they would have.`,
      deleting.problem ? problemBox(deleting.problem, { key: "delete-problem" }) : null,
    ],
    yes: deleting.busy ? "Deleting…" : "Delete",
    busy: deleting.busy,
    danger: true,
    onYes: () => void act.lists.deleteAvatar(deleting.id),
    onNo: () => act.lists.askDelete(null),
  });
}

/** @param {string} file @returns {string} the file's name without what follows its last dot */
const baseName = (file) => file.replace(/\.[^.]+$/, "").slice(0, 100);
