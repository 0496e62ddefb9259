// The panels of one presentation: a single picture, or the linked three of a triptych.

import { DifferenceTone, differenceColour, GreyTone } from "./tone.js";
import { View } from "./view.js";
import { Viewer } from "./viewer.js";

export class Stage extends EventTarget {
  view = new View();
  tone = new GreyTone();
  #difference = new DifferenceTone();
  #panels = new Map();

  /** @param {HTMLElement} root holds a canvas[data-panel] for each picture, the leading one first */
  constructor(root) {
    super();
    for (const canvas of root.querySelectorAll("canvas[data-panel]")) {
      const name = canvas.dataset.panel;
      const viewer = new Viewer(canvas, this.view, name === "difference" ? this.#difference : this.tone);
      viewer.addEventListener("act", (event) => this.#acted(event.detail));
      this.#panels.set(name, viewer);
    }
    const legend = root.querySelector("[data-legend]");
    if (legend) this.#keepLegend(legend);
  }

  /** @param {"window" | "pan"} mode */
  set dragging(mode) {
    for (const viewer of this.#panels.values()) viewer.dragging = mode;
  }

  get hasPicture() {
    return [...this.#panels.values()].every((viewer) => viewer.picture);
  }

  clear() {
    for (const viewer of this.#panels.values()) viewer.clear();
  }

  /**
   * Put new pictures up, in the standard window, fitted.
   * @param {Object<string, object>} pictures by panel
   * @returns {Promise<{onset: number, frame: number}>} when they were first seen: the second animation
   *   frame after the draw brackets the paint; and the length of that frame, both in milliseconds
   */
  show(pictures) {
    for (const [name, viewer] of this.#panels) viewer.put(pictures[name]);
    this.reset();
    return new Promise((resolve) => {
      requestAnimationFrame((drawn) => {
        for (const viewer of this.#panels.values()) viewer.draw();
        requestAnimationFrame((onset) => resolve({ onset, frame: onset - drawn }));
      });
    });
  }

  /** As the pictures were when they appeared. */
  reset() {
    const [lead] = this.#panels.values();
    // A pair is compared in one window: that of the first panel.
    this.tone.start(lead.picture.levels);
    const difference = this.#panels.get("difference");
    if (difference) this.#difference.start(difference.picture.levels);
    this.view.fit();
  }

  /** What the reader looks at now, to be kept with the verdict. */
  get settings() {
    const { zoom } = this.view;
    const { center, width, inverted } = this.tone;
    return { zoom: rounded(zoom, 4), center: rounded(center, 1), width: rounded(width, 1), inverted };
  }

  #acted(what) {
    this.dispatchEvent(new CustomEvent("act", { detail: what }));
  }

  #keepLegend(legend) {
    const scale = legend.querySelector("canvas");
    const context = scale.getContext("2d");
    for (let i = 0; i < scale.width; i++) {
      context.fillStyle = `rgb(${differenceColour((2 * i) / (scale.width - 1) - 1).join(" ")})`;
      context.fillRect(i, 0, 1, scale.height);
    }
    const percent = new Intl.NumberFormat(document.documentElement.lang, {
      style: "percent",
      maximumSignificantDigits: 2,
      signDisplay: "exceptZero",
    });
    this.#difference.addEventListener("change", () => {
      legend.querySelector("[data-lowest]").textContent = percent.format(-this.#difference.share);
      legend.querySelector("[data-highest]").textContent = percent.format(this.#difference.share);
    });
  }
}

const rounded = (value, digits) => Number(value.toFixed(digits));
