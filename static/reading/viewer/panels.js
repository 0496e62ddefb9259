// The panels of one presentation: a single picture, or the linked three of a triptych.

import { Layer } from "./layer.js";
import { Loupe } from "./loupe.js";
import { Marks } from "./marks.js";
import { Pointer } from "./pointer.js";
import { halvingsAt, scaleOf } from "./sampling.js";
import { DifferenceTone, GreyTone } from "./window_level.js";
import { Triptych } from "./triptych.js";
import { View } from "./viewport.js";
import { Viewer } from "./viewer.js";

const GREY = "#808080"; // between pictures: neither dark nor bright to the eye that comes from the one before
const BLACK = "#000";

export class Stage extends EventTarget {
  view = new View();
  tone = new GreyTone();
  /** @type {Marks} on the leading picture */
  marks;
  /** @type {Loupe} */
  loupe;
  /** @type {Triptych | null} */
  triptych = null;
  #difference = new DifferenceTone();
  #panels = new Map();
  #pointers = [];
  #cover = BLACK;
  #hidden = false;

  /** @param {HTMLElement} root holds a canvas[data-panel] for each picture, the leading one first */
  constructor(root) {
    super();
    for (const canvas of root.querySelectorAll("canvas[data-panel]")) this.#addPanel(canvas);
    const [lead] = this.#panels.values();
    this.marks = new Marks(lead.viewer);
    this.loupe = new Loupe(this.#viewers, this.view);
    if (this.#panels.has("difference")) this.triptych = new Triptych(root.querySelector(".triptych"), this.#panels);
  }

  /** @param {"window" | "pan" | "zoom"} mode */
  set dragging(mode) {
    for (const pointer of this.#pointers) pointer.dragging = mode;
  }

  /** Whether the reader sees pictures now, so that tools have something to act on. */
  get hasPicture() {
    return !this.#hidden && !this.#cover && this.#viewers.every((viewer) => viewer.picture);
  }

  clear() {
    for (const { layer } of this.#panels.values()) layer.put(null);
    this.#coverWith(BLACK);
    for (const viewer of this.#viewers) viewer.draw();
  }

  /**
   * Put new pictures up, in the standard window, fitted.
   * @param {Object<string, object>} pictures by panel
   * @param {{flip?: boolean}} [hanging] whether they hang mirrored left to right
   * @returns {Promise<{onset: number, frame: number}>} when they were first seen: the second animation
   *   frame after the draw brackets the paint; and the length of that frame, both in milliseconds
   */
  show(pictures, { flip = false } = {}) {
    for (const [name, { layer }] of this.#panels) layer.put(pictures[name]);
    this.#coverWith(null);
    this.view.hang(flip);
    this.reset();
    return new Promise((resolve) => {
      requestAnimationFrame((drawn) => {
        for (const viewer of this.#viewers) viewer.draw();
        requestAnimationFrame((onset) => resolve({ onset, frame: onset - drawn }));
      });
    });
  }

  /**
   * Get the pictures ready that will be shown next, so that they stand sooner.
   * @param {Object<string, object>} pictures by panel
   * @param {{flip?: boolean}} [hanging] as for show()
   */
  prepare(pictures, { flip = false } = {}) {
    for (const [name, { viewer }] of this.#panels) viewer.prepare(pictures[name], flip);
  }

  /**
   * A neutral grey over all panels, until the next show().
   * @returns {Promise<number>} the timestamp of the animation frame in which it was drawn
   */
  grey() {
    this.#coverWith(GREY);
    return new Promise((resolve) => {
      requestAnimationFrame((drawn) => {
        for (const viewer of this.#viewers) viewer.draw();
        resolve(drawn);
      });
    });
  }

  /** Nothing of the picture on the canvases, at once; a picture put up meanwhile stays hidden too. */
  hide() {
    this.#hidden = true;
    this.#coverWith(this.#cover);
    for (const viewer of this.#viewers) viewer.draw();
  }

  /** As it was before hide(). */
  unhide() {
    this.#hidden = false;
    this.#coverWith(this.#cover);
    for (const viewer of this.#viewers) viewer.draw();
  }

  /** As the pictures were when they appeared. */
  reset() {
    const { levels } = this.#lead.picture;
    // A pair is compared in one window: that of the first panel.
    this.tone.start(levels);
    const difference = this.#panels.get("difference");
    if (difference) this.#difference.start(difference.layer.picture.levels);
    this.triptych?.start();
    this.loupe.on = false;
    this.view.home();
  }

  /** What the reader looks at now, to be kept with the verdict. */
  get settings() {
    const { zoom, turned } = this.view;
    const { center, width, inverted } = this.tone;
    const scale = scaleOf(zoom);
    return {
      zoom: rounded(zoom, 4),
      one_to_one: scale === "one_to_one",
      interpolated: scale === "interpolated",
      averaged: halvingsAt(zoom) > 0,
      ...turned,
      center: rounded(center, 1),
      width: rounded(width, 1),
      inverted,
      loupe: this.loupe.on,
      gpu: this.#lead.gpu,
    };
  }

  get #viewers() {
    return [...this.#panels.values()].map(({ viewer }) => viewer);
  }

  get #lead() {
    return this.#viewers[0];
  }

  #addPanel(canvas) {
    const name = canvas.dataset.panel;
    const layer = new Layer(name === "difference" ? this.#difference : this.tone);
    const viewer = new Viewer(canvas, this.view);
    viewer.layers = [layer];
    layer.tone.addEventListener("change", () => viewer.redraw());
    this.#pointers.push(new Pointer(viewer, this.view, this.tone, (what) => this.#acted(what)));
    this.#panels.set(name, { layer, viewer });
  }

  #coverWith(colour) {
    this.#cover = colour;
    for (const viewer of this.#viewers) viewer.cover = this.#hidden ? BLACK : colour;
  }

  #acted(what) {
    if (this.hasPicture) this.dispatchEvent(new CustomEvent("act", { detail: what }));
  }
}

const rounded = (value, digits) => Number(value.toFixed(digits));
