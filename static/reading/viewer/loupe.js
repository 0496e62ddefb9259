// The magnifier: a square over the picture, each picture pixel a square of whole device pixels, never interpolated.
// In a triptych one for each panel, all at the same place of the picture.

import { Surface2D } from "./renderer_2d.js";
import { pointOf } from "./viewport.js";

const SIDE = 256; // CSS pixels
const TIMES = 2; // the zoom of the picture around it, and device pixels to a picture pixel at least
const ABOVE_FINGER = 150; // CSS pixels

export class Loupe extends EventTarget {
  #view;
  #panels;
  #on = false;
  /** Where it looks, in CSS pixels from the panel's middle. */
  #at = { x: 0, y: 0, lift: 0 };
  #pointer = null;

  /**
   * @param {import("./viewer.js").Viewer[]} viewers
   * @param {import("./viewport.js").View} view
   */
  constructor(viewers, view) {
    super();
    this.#view = view;
    this.#panels = viewers.map((viewer) => this.#panel(viewer));
  }

  get on() {
    return this.#on;
  }

  /** By pointer it appears where that is, else at the middle of the canvas. */
  set on(on) {
    this.#on = on;
    this.#at = this.#pointer ?? { x: 0, y: 0, lift: 0 };
    for (const { viewer, canvas } of this.#panels) {
      canvas.hidden = !on;
      viewer.box.toggleAttribute("data-loupe", on);
    }
    this.#draw();
    this.dispatchEvent(new Event("change"));
  }

  /** @param {number} dx @param {number} dy CSS pixels */
  moveBy(dx, dy) {
    const box = this.#panels[0].viewer.box.getBoundingClientRect();
    const within = (at, length) => Math.max(-length / 2, Math.min(length / 2, at));
    this.#at = { x: within(this.#at.x + dx, box.width), y: within(this.#at.y + dy, box.height), lift: 0 };
    this.#draw();
  }

  #panel(viewer) {
    const canvas = document.createElement("canvas");
    canvas.className = "loupe";
    canvas.hidden = true;
    canvas.setAttribute("aria-hidden", "true");
    viewer.box.append(canvas);
    viewer.box.addEventListener("pointermove", (event) => this.#follow(viewer, event));
    viewer.box.addEventListener("pointerdown", (event) => this.#follow(viewer, event));
    viewer.box.addEventListener("pointerleave", () => (this.#pointer = null));
    const panel = { viewer, canvas, surface: new Surface2D(canvas) };
    viewer.addEventListener("drawn", () => this.#drawPanel(panel));
    return panel;
  }

  #follow(viewer, event) {
    const box = viewer.box.getBoundingClientRect();
    const x = event.clientX - box.left - box.width / 2;
    const y = event.clientY - box.top - box.height / 2;
    this.#pointer = { x, y, lift: event.pointerType === "touch" ? ABOVE_FINGER : 0 };
    if (!this.#on) return;
    this.#at = this.#pointer;
    this.#draw();
  }

  #draw() {
    // With the viewers' own frame, hence once per frame however often the pointer moves.
    if (this.#on) for (const { viewer } of this.#panels) viewer.redraw();
  }

  #drawPanel({ viewer, canvas, surface }) {
    canvas.hidden = !this.#on || viewer.isCovered || !viewer.picture || !viewer.shows;
    if (canvas.hidden) return;
    const { scale } = viewer;
    const side = Math.round(SIDE * scale);
    if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
    canvas.style.translate = `${this.#at.x}px ${this.#at.y - this.#at.lift}px`;
    const middle = [viewer.canvas.width / 2, viewer.canvas.height / 2];
    const [x, y] = pointOf(viewer.place, middle[0] + this.#at.x * scale, middle[1] + this.#at.y * scale);
    const zoom = Math.max(TIMES, Math.ceil(TIMES * this.#view.zoom));
    surface.draw(viewer.layers, { ...this.#view.place(canvas, viewer.picture, { zoom, x, y }), isSquare: true });
  }
}
