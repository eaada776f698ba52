/**
 * Holds the state; changes it only through pure transitions; tells who listens.
 *
 * @template S
 */
export class Store {
  /** @param {S} initial */
  constructor(initial) {
    /** @private */
    this.state = initial;
    /** @private @type {Set<(state: S) => void>} */
    this.listeners = new Set();
  }

  /** @returns {S} */
  get() {
    return this.state;
  }

  /**
   * Applies `transition(state, ...args)`. Listeners hear nothing when the state stays the same object.
   *
   * @template {any[]} A
   * @param {(state: S, ...args: A) => S} transition
   * @param {A} args
   */
  update(transition, ...args) {
    const next = transition(this.state, ...args);
    if (next === this.state) return;
    this.state = next;
    for (const listener of this.listeners) listener(next);
  }

  /**
   * @param {(state: S) => void} listener called after each change
   * @returns {() => void} stops it
   */
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/**
 * Draws at most once a frame, and also in a hidden tab, where no frames come.
 *
 * @param {() => void} draw
 * @returns {() => void} asks for a drawing
 */
export function oncePerFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    const run = () => {
      asked = false;
      draw();
    };
    if (document.hidden) setTimeout(run, 0);
    else requestAnimationFrame(run);
  };
}
