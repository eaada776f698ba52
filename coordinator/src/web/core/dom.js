/**
 * Elements as values: a view returns `h(...)` trees, `patch` makes the document like them.
 * An element that stays is kept, so focus, typed text and a playing video survive a render.
 *
 * @typedef {{tag: string, key: string|null, props: Record<string, any>, children: Child[]}} VNode
 * @typedef {VNode|string} Child
 * @typedef {Child|number|false|null|undefined|Loose[]} Loose
 */

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "circle", "rect", "line", "g", "text", "polyline", "polygon", "title"]);
/** Set as properties, because their attributes are only the initial values. */
const PROPERTIES = new Set(["value", "checked", "disabled", "muted", "srcObject", "indeterminate"]);

/** @type {WeakMap<Node, VNode>} */
const drawn = new WeakMap();

/**
 * An element. `key` tells siblings apart; `on*` props are listeners; `.name` props are set as properties;
 * `style` is an object; `init` is called once with the new element.
 *
 * @param {string} tag
 * @param {Record<string, any>|null} [props]
 * @param {...Loose} children
 * @returns {VNode}
 */
export function h(tag, props, ...children) {
  const { key = null, ...rest } = props ?? {};
  return { tag, key: key === null ? null : String(key), props: rest, children: flat(children) };
}

/**
 * @param {Loose[]} loose
 * @returns {Child[]}
 */
function flat(loose) {
  /** @type {Child[]} */
  const out = [];
  for (const child of loose) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) out.push(...flat(child));
    else out.push(typeof child === "number" ? String(child) : child);
  }
  return out;
}

/**
 * Makes the children of `parent` like `children`.
 *
 * @param {Element} parent
 * @param {Child[]} children
 */
export function patch(parent, children) {
  const old = [...parent.childNodes];
  const free = new Set(old);
  const matched = children.map((child) => {
    const found = old.find((node) => free.has(node) && same(node, child));
    if (found) free.delete(found);
    return found ?? null;
  });
  for (const node of free) node.remove();
  let cursor = parent.firstChild;
  children.forEach((child, i) => {
    const node = matched[i];
    if (node === null || node === undefined) {
      parent.insertBefore(create(child), cursor);
      return;
    }
    if (node === cursor) cursor = node.nextSibling;
    else parent.insertBefore(node, cursor);
    update(node, child);
  });
}

/**
 * @param {Node} node
 * @param {Child} child
 */
function same(node, child) {
  if (typeof child === "string") return node.nodeType === Node.TEXT_NODE;
  const before = drawn.get(node);
  return before !== undefined && before.tag === child.tag && before.key === child.key;
}

/**
 * @param {Child} child
 * @returns {Node}
 */
function create(child) {
  if (typeof child === "string") return document.createTextNode(child);
  const element = SVG_TAGS.has(child.tag)
    ? document.createElementNS(SVG, child.tag)
    : document.createElement(child.tag);
  drawn.set(element, { tag: child.tag, key: child.key, props: {}, children: [] });
  update(element, child);
  child.props.init?.(element);
  return element;
}

/**
 * @param {Node} node
 * @param {Child} child
 */
function update(node, child) {
  if (typeof child === "string") {
    if (node.nodeValue !== child) node.nodeValue = child;
    return;
  }
  const element = /** @type {HTMLElement} */ (node);
  const before = drawn.get(node)?.props ?? {};
  drawn.set(node, child);
  // Options come before the value that chooses one of them.
  if (!("innerOwn" in child.props)) patch(element, child.children);
  for (const name of Object.keys(before)) if (!(name in child.props)) setProp(element, name, null, before[name]);
  for (const [name, value] of Object.entries(child.props)) setProp(element, name, value, before[name]);
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @param {any} value
 * @param {any} before
 */
function setProp(element, name, value, before) {
  if (name === "init" || name === "innerOwn") return;
  if (name.startsWith("on")) {
    if (before === undefined && value) element.addEventListener(name.slice(2).toLowerCase(), relay);
    return;
  }
  if (name === "style") {
    for (const [rule, text] of Object.entries(value ?? {})) element.style.setProperty(rule, String(text));
    return;
  }
  if (name.startsWith(".")) {
    if (value !== before) Reflect.set(element, name.slice(1), value);
    return;
  }
  if (PROPERTIES.has(name)) {
    // What the user is typing stays until the state says something new.
    if (name === "value" && value === before) return;
    const wanted = value ?? (name === "value" ? "" : false);
    if (Reflect.get(element, name) !== wanted) Reflect.set(element, name, wanted);
    return;
  }
  if (value === before) return;
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/**
 * One listener for all events: it asks for the handler of the last render, so that handlers need no re-binding.
 *
 * @this {any}
 * @param {Event} event
 */
function relay(event) {
  const props = drawn.get(this)?.props ?? {};
  for (const [name, handler] of Object.entries(props)) {
    if (name.startsWith("on") && name.slice(2).toLowerCase() === event.type) handler?.(event);
  }
}
