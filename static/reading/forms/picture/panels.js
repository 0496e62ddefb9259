// The panels of one presentation: a single picture, or the three linked ones of a triptych.

import { find, findAll } from "../../dom.js";
import { Layer } from "./layer.js";
import { Loupe } from "./loupe.js";
import { Marks } from "./marks.js";
import { Pointer } from "./pointer.js";
import { hasGpu } from "./renderer_webgl.js";
import { isSquareAt, scaleOf } from "./sampling.js";
import { Triptych } from "./triptych.js";
import { Viewer } from "./viewer.js";
import { Viewport } from "./viewport.js";
import { DifferenceColours, WindowLevel } from "./window_level.js";

/** @import { Picture } from "./layer.js" */
/** @import { Panel } from "./triptych.js" */

const BLACK = "#000";

/** Dispatches "act" with the name of what the reader did by pointer, and "drawn" with the leading picture. */
export class Panels extends EventTarget {
  viewport = new Viewport();
  windowLevel = new WindowLevel();
  /** On the leading picture. */
  marks;
  loupe;
  /** @type {Triptych | null} */
  triptych = null;
  #differenceColours = new DifferenceColours();
  /** @type {Map<string, Panel>} */
  #panels = new Map();
  /** @type {Pointer[]} */
  #pointers = [];
  #viewers;
  #leading;

  /** @param {HTMLElement} root contains a canvas[data-panel] for each picture, the leading one first */
  constructor(root) {
    super();
    const usesGpu = hasGpu();
    for (const canvas of findAll("canvas[data-panel]", HTMLCanvasElement, root)) this.#addPanel(canvas, usesGpu);
    this.#viewers = [...this.#panels.values()].map(({ viewer }) => viewer);
    [this.#leading] = this.#panels.values();
    this.marks = new Marks(this.#leading.viewer);
    this.#leading.viewer.addEventListener("drawn", () => this.dispatchEvent(new Event("drawn")));
    this.loupe = new Loupe(this.#viewers, this.viewport);
    const [real, adversarial, difference] = ["real", "adversarial", "difference"].map((name) => this.#panels.get(name));
    if (real && adversarial && difference)
      this.triptych = new Triptych(
        find(".triptych", HTMLElement, root),
        { real, adversarial, difference },
        this.#differenceColours,
      );
  }

  /** @param {import("./pointer.js").DragMode} mode */
  set dragMode(mode) {
    for (const pointer of this.#pointers) pointer.dragMode = mode;
  }

  /** Device pixels per CSS pixel. */
  get devicePixels() {
    return this.#leading.viewer.scale;
  }

  /** Whether the reader sees pictures now, so that tools have something to act on. */
  get hasImages() {
    return this.#viewers.every((viewer) => viewer.picture && !viewer.isCovered);
  }

  clear() {
    for (const { layer } of this.#panels.values()) layer.put(null);
    this.#coverWith(() => BLACK);
    this.#draw();
  }

  /**
   * Show new pictures in the standard window, fitted.
   * @param {Record<string, Picture>} pictures by panel
   * @param {import("../form.js").Hanging} [hanging]
   * @returns {Promise<{onset: number, frame: number}>} when they were first visible: the timestamp of the second
   *   animation frame after the drawing, which brackets the paint; and the length of that frame, both in milliseconds
   */
  show(pictures, { flip = false, sentence, fullColour, hasLine = false } = {}) {
    const outline = this.#leadingOf(pictures).outline;
    for (const [name, { layer }] of this.#panels) {
      // A difference has no outline of its own, and what is linked lies alike.
      if (name === "difference") layer.put(pictures[name], outline);
      else layer.put(pictures[name]);
    }
    this.#differenceColours.fullColour = fullColour ?? null;
    this.triptych?.explain(sentence ?? "", fullColour ?? null, hasLine);
    this.#coverWith(() => null);
    this.viewport.hang(flip, outline?.side ?? null);
    this.reset();
    return new Promise((resolve) => {
      requestAnimationFrame((drawn) => {
        this.#draw();
        requestAnimationFrame((onset) => resolve({ onset, frame: onset - drawn }));
      });
    });
  }

  /**
   * Show a line of text below a triptych; below a single picture there is none.
   * @param {string} line
   */
  say(line) {
    this.triptych?.say(line);
  }

  /**
   * Prepare the next pictures, so that they can be shown sooner.
   * @param {Record<string, Picture>} pictures by panel
   * @param {{flip?: boolean}} [hanging] as for show()
   */
  prepare(pictures, { flip = false } = {}) {
    const side = this.#leadingOf(pictures).outline?.side ?? null;
    for (const [name, { viewer }] of this.#panels) viewer.prepare(pictures[name], flip, side);
  }

  /**
   * Cover each panel with one grey until the next show(), as bright as its picture: the eye stays adapted.
   * @returns {Promise<number>} timestamp of the animation frame in which it was drawn
   */
  showGrey() {
    this.#coverWith((viewer) => viewer.meanColour);
    return new Promise((resolve) => {
      requestAnimationFrame((drawn) => {
        this.#draw();
        resolve(drawn);
      });
    });
  }

  /** Remove the pictures from the canvases at once; pictures that are shown meanwhile stay hidden too. */
  hide() {
    this.#hide(true);
  }

  /** Undo hide(). */
  unhide() {
    this.#hide(false);
  }

  /** Return to how the pictures appeared. */
  reset() {
    const picture = this.#leading.layer.picture;
    if (!picture) throw new Error("There is no picture to reset.");
    // A pair is compared in one window: that of the first panel.
    this.windowLevel.start(picture.levels);
    const difference = this.#panels.get("difference")?.layer.picture;
    if (difference) this.#differenceColours.start(difference.levels);
    this.triptych?.start();
    this.loupe.isOn = false;
    this.viewport.reset();
  }

  /**
   * How the pixels on screen come from those of the picture.
   * @returns {import("./sampling.js").Scale | "not_exact"}
   */
  get scale() {
    return this.#leading.viewer.isExact ? scaleOf(this.viewport.zoom) : "not_exact";
  }

  /** How the reader sees the picture now, to be stored with the verdict. */
  get settings() {
    const { zoom, turned } = this.viewport;
    const { center, width, isInverted } = this.windowLevel;
    return {
      zoom: rounded(zoom, 4),
      scale: this.scale,
      one_to_one: zoom === 1,
      interpolated: zoom > 1 && !isSquareAt(zoom),
      averaged: zoom < 1,
      ...turned,
      center: rounded(center, 1),
      width: rounded(width, 1),
      inverted: isInverted,
      loupe: this.loupe.isOn,
      loupe_factor: this.loupe.factor,
      gpu: this.#leading.viewer.isGpu,
    };
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {boolean} usesGpu
   */
  #addPanel(canvas, usesGpu) {
    const name = canvas.dataset.panel ?? "";
    const layer = new Layer(name === "difference" ? this.#differenceColours : this.windowLevel);
    const viewer = new Viewer(canvas, this.viewport, usesGpu);
    viewer.layers = [layer];
    layer.colours.addEventListener("change", () => viewer.redraw());
    this.#pointers.push(new Pointer(viewer, this.viewport, this.windowLevel, (act) => this.#acted(act)));
    this.#panels.set(name, { layer, viewer });
  }

  /** @param {Record<string, Picture>} pictures by panel */
  #leadingOf(pictures) {
    const [name] = this.#panels.keys();
    return pictures[name];
  }

  #draw() {
    for (const viewer of this.#viewers) viewer.draw();
  }

  /** @param {(viewer: Viewer) => string | null} colourOf */
  #coverWith(colourOf) {
    for (const viewer of this.#viewers) viewer.cover = colourOf(viewer);
  }

  /** @param {boolean} isHidden */
  #hide(isHidden) {
    for (const viewer of this.#viewers) viewer.isHidden = isHidden;
    this.#draw();
  }

  /** @param {string} act */
  #acted(act) {
    if (this.hasImages) this.dispatchEvent(new CustomEvent("act", { detail: act }));
  }
}

/**
 * @param {number} value
 * @param {number} digits
 */
const rounded = (value, digits) => Number(value.toFixed(digits));
