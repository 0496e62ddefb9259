// The magnifier: a square over the picture, drawn like the picture around it and a set number of times as large. A
// triptych has one in each panel, all at the same point of the picture.

import { Renderer2D } from "./renderer_2d.js";
import { pointOf } from "./viewport.js";

/** @import { Viewer } from "./viewer.js" */
/** @typedef {{viewer: Viewer, canvas: HTMLCanvasElement, label: HTMLElement, renderer: Renderer2D}} LoupePanel */

const SIDE = 256; // CSS pixels
const FACTORS = [1.5, 2, 3, 4, 6]; // of the zoom of the picture around it
const USUAL = 2;
const ABOVE_FINGER = 150; // CSS pixels
const MIDDLE = { x: 0, y: 0, lift: 0 };

/** Dispatches "change" when it is switched on or off. */
export class Loupe extends EventTarget {
  #viewport;
  #panels;
  #isOn = false;
  #factor = USUAL;
  #number = new Intl.NumberFormat(document.documentElement.lang);
  /** Its centre in CSS pixels from the middle of the panel; `lift`: how far above it is drawn. */
  #position = MIDDLE;
  /** @type {typeof MIDDLE | null} */
  #pointer = null;

  /**
   * @param {Viewer[]} viewers
   * @param {import("./viewport.js").Viewport} viewport
   */
  constructor(viewers, viewport) {
    super();
    this.#viewport = viewport;
    this.#panels = viewers.map((viewer) => this.#addTo(viewer));
  }

  get isOn() {
    return this.#isOn;
  }

  /** It appears at the pointer if there is one, otherwise at the middle of the canvas. */
  set isOn(isOn) {
    this.#isOn = isOn;
    this.#position = this.#pointer ?? this.#middle;
    for (const { viewer, canvas, label } of this.#panels) {
      canvas.hidden = label.hidden = !isOn;
      viewer.box.toggleAttribute("data-loupe", isOn);
    }
    this.#redraw();
    this.dispatchEvent(new Event("change"));
  }

  /** In the middle of what is seen of the picture. */
  get #middle() {
    const { middle, canvas, scale } = this.#panels[0].viewer;
    return { x: (middle[0] - canvas.width / 2) / scale, y: (middle[1] - canvas.height / 2) / scale, lift: 0 };
  }

  get factor() {
    return this.#factor;
  }

  /**
   * Magnify by the next stronger or weaker factor, which stays for the images that follow.
   * @param {1 | -1} by
   */
  strengthen(by) {
    this.#factor = FACTORS[Math.max(0, Math.min(FACTORS.length - 1, FACTORS.indexOf(this.#factor) + by))];
    this.#redraw();
  }

  /**
   * @param {number} dx CSS pixels
   * @param {number} dy
   */
  moveBy(dx, dy) {
    const box = this.#panels[0].viewer.box.getBoundingClientRect();
    /** @type {(value: number, length: number) => number} */
    const within = (value, length) => Math.max(-length / 2, Math.min(length / 2, value));
    const { x, y } = this.#position;
    this.#position = { x: within(x + dx, box.width), y: within(y + dy, box.height), lift: 0 };
    this.#redraw();
  }

  /**
   * @param {Viewer} viewer
   * @returns {LoupePanel}
   */
  #addTo(viewer) {
    const canvas = document.createElement("canvas");
    canvas.className = "loupe";
    canvas.hidden = true;
    canvas.setAttribute("aria-hidden", "true");
    const label = document.createElement("span");
    label.className = "loupe-factor";
    label.hidden = true;
    label.setAttribute("aria-hidden", "true");
    viewer.box.append(canvas, label);
    viewer.box.addEventListener("pointermove", (event) => this.#follow(viewer, event));
    viewer.box.addEventListener("pointerdown", (event) => this.#follow(viewer, event));
    viewer.box.addEventListener("pointerleave", () => (this.#pointer = null));
    const panel = { viewer, canvas, label, renderer: new Renderer2D(canvas) };
    viewer.addEventListener("drawn", () => this.#draw(panel));
    return panel;
  }

  /**
   * @param {Viewer} viewer
   * @param {PointerEvent} event
   */
  #follow(viewer, event) {
    const box = viewer.box.getBoundingClientRect();
    const x = event.clientX - box.left - box.width / 2;
    const y = event.clientY - box.top - box.height / 2;
    this.#pointer = { x, y, lift: event.pointerType === "touch" ? ABOVE_FINGER : 0 };
    if (!this.#isOn) return;
    this.#position = this.#pointer;
    this.#redraw();
  }

  #redraw() {
    // With the viewers' own frame: once per frame, however often the pointer moves.
    if (this.#isOn) for (const { viewer } of this.#panels) viewer.redraw();
  }

  /** @param {LoupePanel} panel */
  #draw({ viewer, canvas, label, renderer }) {
    const { picture, placement, scale } = viewer;
    canvas.hidden = label.hidden = !this.#isOn || viewer.isCovered || !picture || !viewer.isVisible;
    if (canvas.hidden || !picture || !placement) return;
    const side = Math.round(SIDE * scale);
    if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
    const { x, y, lift } = this.#position;
    canvas.style.translate = label.style.translate = `${x}px ${y - lift}px`;
    label.textContent = `${this.#number.format(this.#factor)}×`;
    const middle = [viewer.canvas.width / 2, viewer.canvas.height / 2];
    const [centreX, centreY] = pointOf(placement, middle[0] + x * scale, middle[1] + y * scale);
    const view = { zoom: this.#factor * this.#viewport.zoom, x: centreX, y: centreY };
    renderer.draw(viewer.layers, this.#viewport.placementOf(canvas, picture, view));
  }
}
