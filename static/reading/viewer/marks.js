// Marks that a reader sets on the picture to answer a question: small rings, in whole pixels of the picture.

import { canvasPointOf } from "./viewport.js";

const RADIUS = 12; // CSS pixels
const CLICK = 4; // CSS pixels that a click may move

export class Marks extends EventTarget {
  #viewer;
  #overlay;
  #most = 0;
  #points = [];
  #down = null;
  #acting = new AbortController();

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

  get active() {
    return this.#most > 0;
  }

  get count() {
    return this.#points.length;
  }

  get most() {
    return this.#most;
  }

  /** Take marks, none so far. @param {number} most */
  start(most) {
    this.stop();
    this.#most = most;
    this.#points = [];
    this.#acting = new AbortController();
    const { signal } = this.#acting;
    const { box } = this.#viewer;
    box.setAttribute("data-marking", "");
    box.addEventListener("pointerdown", (event) => (this.#down = event), { signal });
    box.addEventListener("pointerup", (event) => this.#up(event), { signal });
    // In the capturing phase: what takes a mark back must not take the question back as well.
    const key = (event) => {
      const typing = event.target.closest?.("input, textarea, select, dialog[open]");
      if (event.key !== "Backspace" || typing || !this.count) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      this.undo();
    };
    addEventListener("keydown", key, { signal, capture: true });
    this.#changed();
  }

  /** @returns {[number, number][]} the marks, x to the right and y down in the file's pixels; takes them off */
  stop() {
    const points = this.#points;
    this.#most = 0;
    this.#points = [];
    this.#acting.abort();
    this.#viewer.box.removeAttribute("data-marking");
    this.#changed();
    return points;
  }

  undo() {
    this.#points = this.#points.slice(0, -1);
    this.#changed();
  }

  /** A mark at the middle of the canvas, for those who move the picture by keys. */
  addAtCentre() {
    const box = this.#viewer.canvas.getBoundingClientRect();
    this.#add(this.#viewer.pointAt({ clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 }));
  }

  #up(event) {
    const down = this.#down;
    this.#down = null;
    const isClick = down?.isPrimary && down.button === 0 && down.pointerId === event.pointerId;
    if (!isClick || Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > CLICK) return;
    if (this.#viewer.picture) this.#add(this.#viewer.pointAt(event));
  }

  #add(point) {
    if (!point || this.count >= this.#most) return;
    this.#points = [...this.#points, point.map(Math.floor)];
    this.#changed();
  }

  #changed() {
    this.#viewer.redraw();
    this.dispatchEvent(new Event("change"));
  }

  #draw() {
    const { canvas, picture, isCovered } = this.#viewer;
    this.#overlay.hidden = !this.active || !picture || isCovered;
    if (this.#overlay.hidden) return;
    Object.assign(this.#overlay, { width: canvas.width, height: canvas.height });
    const context = this.#overlay.getContext("2d");
    const { place, scale } = this.#viewer;
    const ring = (x, y, radius) => {
      context.beginPath();
      context.arc(x, y, radius * scale, 0, 2 * Math.PI);
      for (const [width, colour] of [[4, "#000"], [1.5, "#d0d0d0"]]) {
        context.lineWidth = width * scale;
        context.strokeStyle = colour;
        context.stroke();
      }
    };
    for (const [x, y] of this.#points) ring(...canvasPointOf(place, x + 0.5, y + 0.5), RADIUS);
    // Where a mark by key would be set.
    ring(canvas.width / 2, canvas.height / 2, 2);
  }
}
