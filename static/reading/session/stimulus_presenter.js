// Brings pictures on screen: never during a pause, and with a neutral grey frame of a set time before each.

import { persist } from "../network/api.js";

export class Presenter {
  #stage;
  #images;
  #paradata;
  #pause;
  #greyMs;
  #onTrouble;
  #shown = null;

  /**
   * @param {{stage: object, images: object, paradata: object, pause: object, greyMs: number,
   *   onTrouble: () => void}} parts `greyMs` 0: no grey frame
   */
  constructor({ stage, images, paradata, pause, greyMs, onTrouble }) {
    this.#stage = stage;
    this.#images = images;
    this.#paradata = paradata;
    this.#pause = pause;
    this.#greyMs = greyMs;
    this.#onTrouble = onTrouble;
  }

  /** When the picture was first seen, by the page's clock; Infinity while it is on its way. */
  get onset() {
    return this.#shown?.onset ?? Infinity;
  }

  isShown(item) {
    return this.#shown?.code === item.code && Number.isFinite(this.#shown.onset);
  }

  /** Put these pictures on screen unless they are there already, or on their way. */
  show(item) {
    if (this.#shown?.code !== item.code) {
      const place = { code: item.code, onset: Infinity, giveUp: new AbortController() };
      this.#leave(place);
      place.drawn = this.#put(item, place);
    }
    return this.#shown.drawn;
  }

  /** Fetch, decode and get ready what comes next, while the reader looks at what is on screen. */
  async prepare(item) {
    const pictures = await this.#images.get(item);
    whenIdle(() => this.#images.has(item) && this.#stage.prepare(pictures, { flip: item.flip }));
  }

  /** Nothing on screen and nothing on its way to it. */
  clear() {
    this.#leave(null);
    this.#stage.clear();
  }

  #leave(place) {
    this.#shown?.giveUp.abort();
    this.#shown = place;
  }

  async #put(item, place) {
    const isStale = () => this.#shown !== place; // a newer picture has taken its place
    const since = this.#greyMs && (await this.#stage.grey());
    if (isStale()) return;
    if (!this.#greyMs && !this.#images.has(item)) this.#stage.clear();
    try {
      const pictures = await persist(() => this.#images.get(item), this.#onTrouble, place.giveUp.signal);
      if (this.#greyMs) await frameFrom(since + this.#greyMs);
      await this.#pause.over;
      if (isStale()) return;
      const showing = this.#stage.show(pictures, { flip: item.flip });
      // A frame that comes late carries the time at which it was due, and that may lie before the drawing was done.
      const [seen, drawn] = await Promise.all([showing, drawingDone()]);
      if (isStale()) return;
      place.onset = Math.max(seen.onset, drawn);
      this.#paradata.start({ ...seen, onset: place.onset });
    } catch (trouble) {
      if (isStale()) return;
      this.#shown = null;
      throw trouble;
    }
  }
}

/** Between two frames where the browser says when, and soon where it does not (Safari). */
const whenIdle = (work) => (window.requestIdleCallback ?? setTimeout)(work);

/** When this frame's drawing, asked for before, is done: callbacks of one frame run in the order of asking. */
function drawingDone() {
  return new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())));
}

/** The first animation frame at or after `at`, less the frame that the drawing itself takes. */
function frameFrom(at) {
  return new Promise((resolve) => {
    const step = (now, frame = 0) => {
      if (now + frame >= at) resolve();
      else requestAnimationFrame((next) => step(next, next - now));
    };
    requestAnimationFrame((now) => step(now));
  });
}
