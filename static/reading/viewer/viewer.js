// One canvas of the page: what it shows, when it is drawn. Exact at 1:1: one sample, one table entry, one pixel.

import { Surface2D } from "./renderer_2d.js";
import { hasGpu, NoGpu, SurfaceGL } from "./renderer_webgl.js";
import { pointOf } from "./viewport.js";

export class Viewer extends EventTarget {
  /** Its box on the page; takes the pointers, holds what is drawn over the picture. */
  box;
  canvas;
  #surface;
  #view;
  #layers = [];
  #cover = "#000";
  #frame = 0;
  #observer = new ResizeObserver((entries) => this.#resize(entries.at(-1)));

  /**
   * @param {HTMLCanvasElement} canvas in a box of its own
   * @param {import("./viewport.js").View} view
   */
  constructor(canvas, view) {
    super();
    this.canvas = canvas;
    this.box = canvas.parentElement;
    this.#view = view;
    this.#takeSurface();
    view.add(this);
    view.addEventListener("change", () => this.redraw());
    this.#observer.observe(this.canvas);
  }

  /** The picture of its lowest layer; null while there is none. */
  get picture() {
    return this.#layers[0]?.picture ?? null;
  }

  /** Whether it has room on the page: a panel may be put away. */
  get shows() {
    return this.canvas.offsetParent !== null;
  }

  get gpu() {
    return this.#surface.gpu;
  }

  /** @param {import("./layer.js").Layer[]} layers what it shows from the next draw() on, the lowest first */
  set layers(layers) {
    this.#layers = layers;
    this.redraw();
  }

  get layers() {
    return this.#layers;
  }

  /** @param {string | null} colour of the whole canvas instead of the picture, from the next draw() on */
  set cover(colour) {
    this.#cover = colour;
  }

  get isCovered() {
    return this.#cover !== null;
  }

  /** Where the picture lies on the canvas. */
  get place() {
    return this.#view.place(this.canvas, this.picture);
  }

  /** @returns {[number, number] | null} the picture's point below a pointer; null beside the picture */
  pointAt({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    const point = pointOf(this.place, (clientX - box.left) * this.scale, (clientY - box.top) * this.scale);
    const { width, height } = this.picture;
    const within = point[0] >= 0 && point[1] >= 0 && point[0] < width && point[1] < height;
    return within ? point : null;
  }

  /** Device pixels per CSS pixel. */
  get scale() {
    return this.canvas.width / this.canvas.getBoundingClientRect().width;
  }

  /** Draw in the next animation frame, once however often it is asked for. */
  redraw() {
    this.#frame ||= requestAnimationFrame(() => this.draw());
  }

  /** Draw now. Called in an animation frame, or when the canvas changed its size. */
  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (this.#cover || !this.picture) this.#surface.fill(this.#cover ?? "#000");
    else this.#surface.draw(this.#layers, this.place);
    this.dispatchEvent(new Event("drawn"));
  }

  /** Get a picture ready that comes next; what is on screen stays. */
  prepare(picture, flip) {
    if (this.shows) this.#surface.prepare(picture, this.#view.placeOfNext(this.canvas, picture, flip));
  }

  #takeSurface() {
    if (!hasGpu()) return (this.#surface = new Surface2D(this.canvas));
    try {
      this.#surface = new SurfaceGL(this.canvas);
      this.canvas.addEventListener("webglcontextlost", () => this.#fallBack(), { once: true });
    } catch (trouble) {
      if (!(trouble instanceof NoGpu)) throw trouble;
      this.#fallBack();
    }
  }

  /** The graphics card is gone: the same pixels from the processor, on a canvas of its own. */
  #fallBack() {
    const canvas = this.canvas.cloneNode(true); // a canvas keeps the kind of its first context
    this.canvas.replaceWith(canvas);
    this.#observer.unobserve(this.canvas);
    this.#observer.observe(canvas);
    this.canvas = canvas;
    this.#surface = new Surface2D(canvas);
    this.draw();
  }

  #resize(entry) {
    // Device pixels exactly, also at a scale of 1.25; Safari does not say them.
    const exact = entry.devicePixelContentBoxSize?.[0];
    const { width, height } = entry.contentRect;
    this.canvas.width = Math.max(1, exact ? exact.inlineSize : Math.round(width * devicePixelRatio));
    this.canvas.height = Math.max(1, exact ? exact.blockSize : Math.round(height * devicePixelRatio));
    this.#view.resized();
    this.draw(); // a canvas that changed its size is blank: draw before it is painted
  }
}
