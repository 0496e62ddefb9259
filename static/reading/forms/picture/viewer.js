// One canvas of the page: its layers, and when they are drawn. Exact at 1:1: one sample, one table entry, one pixel.

import { Renderer2D } from "./renderer_2d.js";
import { NoGpu, RendererWebGL } from "./renderer_webgl.js";
import { meanGrey } from "./mean_grey.js";
import { pointOf } from "./viewport.js";

/** @import { Layer, Picture } from "./layer.js" */
/** @typedef {{clientX: number, clientY: number}} PagePoint */

const BLACK = "#000";

/** Dispatches "drawn" after each drawing. */
export class Viewer extends EventTarget {
  /** The element around the canvas: receives pointers, holds what is drawn over the picture. */
  box;
  canvas;
  #renderer;
  #viewport;
  /** @type {Layer[]} */
  #layers = [];
  /**
   * The colour that covers the whole canvas from the next draw() on; null: none.
   * @type {string | null}
   */
  cover = BLACK;
  /** Whether the canvas is black from the next draw() on, whatever it would show. */
  isHidden = false;
  #frame = 0;
  #hasDevicePixels = true;
  #observer = new ResizeObserver((entries) => this.#resize(entries[entries.length - 1]));

  /**
   * @param {HTMLCanvasElement} canvas the only one in its parent
   * @param {import("./viewport.js").Viewport} viewport
   * @param {boolean} usesGpu
   */
  constructor(canvas, viewport, usesGpu) {
    super();
    if (!canvas.parentElement) throw new Error("The canvas is not on the page.");
    this.box = canvas.parentElement;
    this.canvas = canvas;
    this.#viewport = viewport;
    this.#renderer = usesGpu ? this.#gpuRenderer() : new Renderer2D(canvas);
    viewport.add(this);
    viewport.addEventListener("change", () => this.redraw());
    this.#observer.observe(this.canvas);
  }

  /** The picture of the lowest layer; null if there is none. */
  get picture() {
    return this.#layers[0]?.picture ?? null;
  }

  /** Whether it has room on the page: a panel may be hidden. */
  get isVisible() {
    return this.canvas.offsetParent !== null;
  }

  get isGpu() {
    return this.#renderer.isGpu;
  }

  /** @param {Layer[]} layers to draw from the next draw() on, the lowest first */
  set layers(layers) {
    this.#layers = layers;
    this.redraw();
  }

  get layers() {
    return this.#layers;
  }

  get isCovered() {
    return this.isHidden || this.cover !== null;
  }

  /** The colour of a grey that is as bright as what is on the canvas, and never brighter. */
  get meanColour() {
    const { placement } = this;
    if (this.cover !== null || !placement) return this.cover ?? BLACK;
    const grey = meanGrey(this.canvas, placement, this.#layers[0]).toString(16).padStart(2, "0");
    return `#${grey.repeat(3)}`;
  }

  /** Where the picture lies on the canvas; null if there is none. */
  get placement() {
    return this.picture && this.#viewport.placementOf(this.canvas, this.picture);
  }

  /**
   * Return the picture's point below a pointer; null beside the picture or without one.
   * @param {PagePoint} pointer
   */
  pointAt({ clientX, clientY }) {
    const { picture, placement } = this;
    if (!picture || !placement) return null;
    const box = this.canvas.getBoundingClientRect();
    const point = pointOf(placement, (clientX - box.left) * this.scale, (clientY - box.top) * this.scale);
    const isInside = point[0] >= 0 && point[1] >= 0 && point[0] < picture.width && point[1] < picture.height;
    return isInside ? point : null;
  }

  /**
   * Where commands by key act, in device pixels: the middle of the canvas, or of what is seen of a picture beside it.
   * @returns {[number, number]}
   */
  get middle() {
    const { width, height } = this.canvas;
    const { placement } = this;
    if (!placement) return [width / 2, height / 2];
    return [
      middleWithin(width, placement.left, placement.width),
      middleWithin(height, placement.top, placement.height),
    ];
  }

  /** Device pixels per CSS pixel. */
  get scale() {
    return this.canvas.width / this.canvas.getBoundingClientRect().width;
  }

  /** Whether each pixel of the canvas is one pixel of the device, so that 1:1 is what it says. */
  get isExact() {
    return this.#hasDevicePixels && (window.visualViewport?.scale ?? 1) === 1;
  }

  /** Draw in the next animation frame, once however often this is called before. */
  redraw() {
    this.#frame ||= requestAnimationFrame(() => this.draw());
  }

  /** Draw now. Called in an animation frame, or when the canvas changed its size. */
  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { placement } = this;
    if (this.isHidden || !placement) this.#renderer.fill(BLACK);
    else if (this.cover !== null) this.#renderer.fill(this.cover);
    else this.#renderer.draw(this.#layers, placement);
    this.dispatchEvent(new Event("drawn"));
  }

  /**
   * Prepare the next picture; what is on screen stays.
   * @param {Picture} picture
   * @param {boolean} isFlipped
   * @param {import("./outline.js").Side | null} side of the picture that lies at the edge of the canvas
   */
  prepare(picture, isFlipped, side) {
    if (!this.isVisible) return;
    this.#renderer.prepare(picture, this.#viewport.placementOfNext(this.canvas, picture, isFlipped, side));
  }

  #gpuRenderer() {
    try {
      const renderer = new RendererWebGL(this.canvas);
      this.canvas.addEventListener("webglcontextlost", () => this.#fallBack(), { once: true });
      return renderer;
    } catch (error) {
      if (!(error instanceof NoGpu)) throw error;
      this.#replaceCanvas();
      return new Renderer2D(this.canvas);
    }
  }

  /** The graphics card is lost: draw the same pixels on the processor. */
  #fallBack() {
    this.#replaceCanvas();
    this.#renderer = new Renderer2D(this.canvas);
    this.draw();
  }

  /** A canvas keeps the kind of its first context: another kind needs another canvas. */
  #replaceCanvas() {
    const canvas = /** @type {HTMLCanvasElement} */ (this.canvas.cloneNode(true));
    this.canvas.replaceWith(canvas);
    this.#observer.unobserve(this.canvas);
    this.#observer.observe(canvas);
    this.canvas = canvas;
  }

  /** @param {ResizeObserverEntry} entry */
  #resize(entry) {
    // Exact device pixels, also at a scale of 1.25; Safari does not report them.
    const exact = entry.devicePixelContentBoxSize?.[0];
    const { width, height } = entry.contentRect;
    this.#hasDevicePixels = Boolean(exact) || Number.isInteger(width * devicePixelRatio);
    this.canvas.width = Math.max(1, exact ? exact.inlineSize : Math.round(width * devicePixelRatio));
    this.canvas.height = Math.max(1, exact ? exact.blockSize : Math.round(height * devicePixelRatio));
    this.#viewport.resized();
    this.draw(); // a canvas that changed its size is blank until it is drawn
  }
}

/**
 * @param {number} length of the canvas
 * @param {number} from where the picture's box begins
 * @param {number} size of the box
 */
function middleWithin(length, from, size) {
  if (from <= length / 2 && length / 2 <= from + size) return length / 2;
  return (Math.max(0, from) + Math.min(length, from + size)) / 2;
}
