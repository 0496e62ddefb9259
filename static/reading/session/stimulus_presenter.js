// Shows the images of a presentation: never during a pause, and after a grey frame of a set length.

import { get, retry } from "../network/api.js";
import { hasMemoryFor } from "../network/image_cache.js";
import { Lessons } from "../network/lessons.js";
import { Aid } from "./aid.js";
import { LoadingRing } from "./loading_ring.js";

/** @import { Presentation } from "../network/api.js" */

const HELD = 3; // presentations in memory: the current one and two ahead

/**
 * The presentation that is on screen or on its way.
 * @typedef {object} Shown
 * @property {string} code
 * @property {number} onset when it was first visible, by the page's clock; Infinity while it is on its way
 * @property {AbortController} abort
 * @property {Promise<void>} drawn
 */

/** @template Image */
export class StimulusPresenter {
  #stage;
  #images;
  #paradata;
  #pause;
  #greyMs;
  #onNoResponse;
  #aid = new Aid();
  #lessons = new Lessons();
  /** Whether the line of text below the images is shown; null: the session has none. @type {boolean | null} */
  #hasLine = null;
  #ring = new LoadingRing();
  /** @type {Shown | null} */
  #shown = null;

  /**
   * @param {object} parts
   * @param {import("../forms/form.js").Stage<Image>} parts.stage
   * @param {import("../network/image_cache.js").ImageCache<Image>} parts.images
   * @param {import("./paradata.js").Paradata} parts.paradata
   * @param {import("./pause.js").Pause} parts.pause
   * @param {number} parts.greyMs length of the grey frame; 0: none
   * @param {() => void} parts.onNoResponse called after each attempt to load an image without a response
   */
  constructor({ stage, images, paradata, pause, greyMs, onNoResponse }) {
    this.#stage = stage;
    this.#images = images;
    this.#paradata = paradata;
    this.#pause = pause;
    this.#greyMs = greyMs;
    this.#onNoResponse = onNoResponse;
  }

  /** When the images were first visible, by the page's clock; Infinity while they are on their way. */
  get onset() {
    return this.#shown?.onset ?? Infinity;
  }

  /** What the paradata say of the aid beside the image and of the line below it. */
  get facts() {
    return { ...this.#aid.facts, ...(this.#hasLine !== null && { line_shown: this.#hasLine }) };
  }

  /** @param {Presentation} presentation */
  isShown({ code }) {
    return this.#shown?.code === code && Number.isFinite(this.#shown.onset);
  }

  /**
   * Show a presentation, unless it is on screen or on its way.
   * @param {Presentation} presentation
   * @returns {Promise<void>} fulfilled once it is visible
   */
  show(presentation) {
    if (this.#shown?.code === presentation.code) return this.#shown.drawn;
    const shown = {
      code: presentation.code,
      onset: Infinity,
      abort: new AbortController(),
      drawn: Promise.resolve(),
    };
    this.#replaceBy(shown);
    shown.drawn = this.#draw(presentation, shown);
    return shown.drawn;
  }

  /**
   * Show the line of text below the images of the current presentation. It is requested now, when they are on screen.
   * @param {Presentation} presentation
   */
  async showLine({ code, line: url, ...presentation }) {
    const shown = this.#shown;
    if (!url || shown?.code !== code) return;
    const lesson = await this.#lessons.of({ code, ...presentation });
    if (!lesson?.has_lines) return;
    try {
      const { line } = await retry(() => get(url), () => {}, shown.abort.signal);
      if (this.#shown !== shown) return;
      this.#hasLine = line !== "";
      this.#stage.say(line);
    } catch {
      // The images can be viewed without it.
    }
  }

  /**
   * Load the next presentations while the reader looks at the current one, and prepare the first of them. They are
   * loaded one after the other: on a slow line the second must not delay the first.
   * @param {Presentation} current
   * @param {Presentation | null} next
   * @param {Presentation | null} afterNext loaded if there is memory for it
   */
  async prepare(current, next, afterNext) {
    const codes = [current.code, next?.code, afterNext?.code];
    this.#images.keepOnly(...codes);
    this.#lessons.keepOnly(...codes);
    try {
      if (next) await this.#prepareNext(next);
      if (afterNext && hasMemoryFor(afterNext, HELD)) await this.#images.get(afterNext);
    } catch {
      // It is requested again when it is its turn.
    }
  }

  /** @param {Presentation} next */
  async #prepareNext(next) {
    const [images] = await Promise.all([this.#images.get(next), this.#lessons.of(next)]);
    whenIdle(() => {
      if (this.#images.has(next)) this.#stage.prepare(images, { flip: next.flip });
    });
  }

  /** Remove the images from the screen, and stop those that are on their way. */
  clear() {
    this.#replaceBy(null);
    this.#aid.clear();
    this.#stage.clear();
  }

  /**
   * Return the images; the screen is dark, with a ring, until they are there.
   * @param {Presentation} presentation
   * @param {Shown} shown
   */
  async #load(presentation, shown) {
    const images = retry(() => this.#images.get(presentation), this.#onNoResponse, shown.abort.signal);
    if (this.#images.has(presentation)) return images;
    if (this.#shown === shown) {
      this.#stage.clear();
      this.#ring.show(() => this.#images.progressOf(presentation));
    }
    try {
      return await images;
    } finally {
      if (this.#shown === shown) this.#ring.hide();
    }
  }

  /** @param {Shown | null} shown */
  #replaceBy(shown) {
    this.#shown?.abort.abort();
    this.#ring.hide();
    this.#shown = shown;
    this.#stage.say("");
    if (this.#hasLine) this.#hasLine = false;
  }

  /**
   * @param {Presentation} presentation
   * @param {Shown} shown
   */
  async #draw(presentation, shown) {
    const isReplaced = () => this.#shown !== shown;
    // The score of the image before must not be read beside a grey frame or the next image.
    if (this.#greyMs || !this.#images.has(presentation)) this.#aid.clear();
    this.#images.get(presentation).catch(() => {}); // on its way during the grey frame; #load() meets its error
    const lesson = this.#lessons.of(presentation);
    const since = this.#greyMs && (await this.#stage.showGrey());
    if (isReplaced()) return;
    try {
      if (this.#greyMs) await frameFrom(since + this.#greyMs);
      const images = await this.#load(presentation, shown);
      const { sentence, full_colour: fullColour, has_lines: hasLine } = (await lesson) ?? {};
      await this.#pause.over;
      if (isReplaced()) return;
      const showing = this.#stage.show(images, { flip: presentation.flip, sentence, fullColour, hasLine });
      this.#aid.show(presentation.aid ?? null); // painted in the same frame as the image
      // A late frame carries the time at which it was due, which may be before the drawing was done.
      const [visible, drawn] = await Promise.all([showing, drawingDone()]);
      if (isReplaced()) return;
      shown.onset = Math.max(visible.onset, drawn);
      this.#paradata.start({ ...visible, onset: shown.onset });
    } catch (error) {
      if (isReplaced()) return;
      this.#shown = null;
      throw error;
    }
  }
}

/**
 * Run between two frames if the browser can say when (Safari cannot), otherwise soon.
 * @param {() => void} work
 */
function whenIdle(work) {
  if ("requestIdleCallback" in window) window.requestIdleCallback(work);
  else setTimeout(work);
}

/**
 * Return when the drawing of the next frame, requested before, is done: callbacks run in the order of the requests.
 * @returns {Promise<number>}
 */
function drawingDone() {
  return new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())));
}

/**
 * Wait for the first animation frame at or after a time, less the frame that the drawing itself takes.
 * @param {number} at
 * @returns {Promise<void>}
 */
function frameFrom(at) {
  return new Promise((resolve) => {
    /** @type {(now: number, frame?: number) => void} */
    const step = (now, frame = 0) => {
      if (now + frame >= at) resolve();
      else requestAnimationFrame((next) => step(next, next - now));
    };
    requestAnimationFrame((now) => step(now));
  });
}
