// Marks that a reader sets on the picture to answer a question: small rings, at whole pixels of the picture.

import { closest, context2d } from "../../dom.js";
import { canvasPointOf, pointOf } from "./viewport.js";

const RADIUS = 12; // CSS pixels
const CLICK = 4; // CSS pixels that a click may move

/** Dispatches "change". */
export class Marks extends EventTarget {
  #viewer;
  #overlay;
  #maximum = 0;
  /** @type {[number, number][]} */
  #points = [];
  /** @type {PointerEvent | null} */
  #pressed = null;
  #listeners = new AbortController();

  /** @param {import("./viewer.js").Viewer} viewer whose picture is marked */
  constructor(viewer) {
    super();
    this.#viewer = viewer;
    this.#overlay = document.createElement("canvas");
    this.#overlay.className = "overlay";
    this.#overlay.hidden = true;
    this.#overlay.setAttribute("aria-hidden", "true");
    viewer.box.append(this.#overlay);
    viewer.addEventListener("drawn", () => this.#draw());
  }

  get isActive() {
    return this.#maximum > 0;
  }

  get count() {
    return this.#points.length;
  }

  get maximum() {
    return this.#maximum;
  }

  /**
   * Accept marks, beginning with none.
   * @param {number} maximum
   */
  start(maximum) {
    this.stop();
    this.#maximum = maximum;
    this.#points = [];
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const { box } = this.#viewer;
    box.setAttribute("data-marking", "");
    box.addEventListener("pointerdown", (event) => (this.#pressed = event), { signal });
    box.addEventListener("pointerup", (event) => this.#released(event), { signal });
    // In the capturing phase: a key that removes a mark must not go back to the question before as well.
    addEventListener("keydown", (event) => this.#keyPressed(event), { signal, capture: true });
    this.#changed();
  }

  /**
   * Remove the marks from the picture and return them.
   * @returns {[number, number][]} x to the right and y down in the file's pixels
   */
  stop() {
    const points = this.#points;
    this.#maximum = 0;
    this.#points = [];
    this.#listeners.abort();
    this.#viewer.box.removeAttribute("data-marking");
    this.#changed();
    return points;
  }

  undo() {
    this.#points = this.#points.slice(0, -1);
    this.#changed();
  }

  /** Set a mark where commands by key act, for those who move the picture by keys. */
  addAtCentre() {
    const { placement, middle } = this.#viewer;
    if (placement) this.#add(pointOf(placement, ...middle));
  }

  /** @param {KeyboardEvent} event */
  #keyPressed(event) {
    const isTyping = closest(event, "input, textarea, select, dialog[open]");
    if (event.key !== "Backspace" || isTyping || !this.count) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.undo();
  }

  /** @param {PointerEvent} event */
  #released(event) {
    const pressed = this.#pressed;
    this.#pressed = null;
    if (!pressed?.isPrimary || pressed.button !== 0 || pressed.pointerId !== event.pointerId) return;
    if (Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) > CLICK) return;
    this.#add(this.#viewer.pointAt(event));
  }

  /** @param {[number, number] | null} point */
  #add(point) {
    if (!point || this.count >= this.#maximum) return;
    this.#points = [...this.#points, [Math.floor(point[0]), Math.floor(point[1])]];
    this.#changed();
  }

  #changed() {
    this.#viewer.redraw();
    this.dispatchEvent(new Event("change"));
  }

  #draw() {
    const { canvas, placement, isCovered, scale } = this.#viewer;
    this.#overlay.hidden = !this.isActive || !placement || isCovered;
    if (this.#overlay.hidden || !placement) return;
    Object.assign(this.#overlay, { width: canvas.width, height: canvas.height });
    for (const [x, y] of this.#points) this.#ring(canvasPointOf(placement, x + 0.5, y + 0.5), RADIUS * scale);
    // Where a mark by key would be set.
    this.#ring(this.#viewer.middle, 2 * scale);
  }

  /**
   * @param {[number, number]} centre
   * @param {number} radius in device pixels
   */
  #ring([x, y], radius) {
    const context = context2d(this.#overlay);
    const { scale } = this.#viewer;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.lineWidth = 4 * scale;
    context.strokeStyle = "#000";
    context.stroke();
    context.lineWidth = 1.5 * scale;
    context.strokeStyle = "#d0d0d0";
    context.stroke();
  }
}
