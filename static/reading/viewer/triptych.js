// What only a triptych has: real and altered in turn, the difference laid over, one panel full size, the legend.

import { Layer } from "./layer.js";
import { differenceColour, OverlayTone } from "./window_level.js";

const SWAP_MS = 500; // while the key is held: two swaps, one full turn, in a second (WCAG 2.3.1 allows three)
const TWIN = { real: "adversarial", adversarial: "real" };

export class Triptych extends EventTarget {
  #root;
  #panels;
  #overlay = new Layer(new OverlayTone());
  #swapped = false;
  #overlaid = false;
  #panel = null;
  #swappedAt = 0;

  /**
   * @param {HTMLElement} root holds a figure for each panel
   * @param {Map<string, {layer: Layer, viewer: import("./viewer.js").Viewer}>} panels real, adversarial, difference
   */
  constructor(root, panels) {
    super();
    this.#root = root;
    this.#panels = panels;
    this.#overlay.tone.addEventListener("change", () => panels.get("real").viewer.redraw());
    const legend = root.querySelector("[data-legend]");
    keepLegend(legend, panels.get("difference").layer.tone);
  }

  /** Whether the altered picture stands in the place of the real one, or the real one in that of the altered. */
  get swapped() {
    return this.#swapped;
  }

  get overlaid() {
    return this.#overlaid;
  }

  /** @returns {"real" | "adversarial" | "difference" | null} the panel that has all the room */
  get panel() {
    return this.#panel;
  }

  /** Three panels, each with its own picture. */
  start() {
    const { picture } = this.#panels.get("difference").layer;
    this.#overlay.put(picture);
    this.#overlay.tone.start(picture.levels);
    this.#swapped = this.#overlaid = false;
    this.#panel = null;
    this.#apply();
  }

  /**
   * Real and altered change places. Held, the key swaps them again and again, slowly, unless motion is unwelcome.
   * @returns {boolean} whether they did
   */
  flicker(event) {
    const isHeld = event?.repeat ?? false;
    if (isHeld && (matchMedia("(prefers-reduced-motion: reduce)").matches || event.timeStamp - this.#swappedAt < SWAP_MS))
      return false;
    if (this.#panel === "difference") return false;
    this.#swappedAt = event?.timeStamp ?? performance.now();
    this.#swapped = !this.#swapped;
    this.#apply();
    return true;
  }

  /** The difference over the picture, or not. */
  lay() {
    if (this.#panel === "difference") return false;
    this.#overlaid = !this.#overlaid;
    this.#apply();
    return true;
  }

  /** Full size: real, altered, difference, then the three again. */
  nextPanel() {
    const order = [null, ...this.#panels.keys()];
    this.#panel = order[(order.indexOf(this.#panel) + 1) % order.length];
    this.#apply();
    return true;
  }

  #apply() {
    this.#root.toggleAttribute("data-single", this.#panel !== null);
    for (const [name, { viewer }] of this.#panels) {
      const figure = viewer.box.closest("figure");
      figure.hidden = this.#panel !== null && this.#panel !== name;
      if (name === "difference") continue;
      // With three panels the left one alternates and the middle one stays for comparison.
      const active = name === (this.#panel ?? "real");
      const shows = active && this.#swapped ? TWIN[name] : name;
      const base = this.#panels.get(shows).layer;
      viewer.layers = active && this.#overlaid ? [base, this.#overlay] : [base];
      for (const caption of figure.querySelectorAll("[data-says]")) caption.hidden = caption.dataset.says !== shows;
      viewer.canvas.setAttribute("aria-label", figure.querySelector(`[data-says=${shows}]`).dataset.label);
      figure.querySelector("[data-overlaid]").hidden = !(active && this.#overlaid);
    }
    this.dispatchEvent(new Event("change"));
  }
}

/** The colours of a difference, and what their ends stand for. */
function keepLegend(legend, tone) {
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
  tone.addEventListener("change", () => {
    legend.querySelector("[data-lowest]").textContent = percent.format(-tone.share);
    legend.querySelector("[data-highest]").textContent = percent.format(tone.share);
  });
}
