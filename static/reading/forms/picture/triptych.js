// The functions that only a triptych has: toggling real and altered, the difference overlay, the outline of the change,
// one panel at full size, the legend.

import { context2d, data, find, findAll } from "../../dom.js";
import { LineColours, outlineOfChange } from "./change_outline.js";
import { Layer } from "./layer.js";
import { differenceColour, OverlayColours } from "./window_level.js";

/** @typedef {"real" | "adversarial" | "difference"} PanelName */
/** @typedef {{layer: Layer, viewer: import("./viewer.js").Viewer}} Panel */
/** @import { DifferenceColours } from "./window_level.js" */

const SWAP_MS = 500; // while the key is held: two swaps, one full cycle, per second (WCAG 2.3.1 allows three)
const OTHER = /** @type {const} */ ({ real: "adversarial", adversarial: "real" });
const ORDER = /** @type {const} */ (["real", "adversarial", "difference"]);

/** Dispatches "change". */
export class Triptych extends EventTarget {
  #root;
  #panels;
  #figures;
  #lesson;
  #withoutLesson;
  #line;
  #overlay = new Layer(new OverlayColours());
  #lines = new Layer(new LineColours());
  #isSwapped = false;
  #isOverlaid = false;
  #isOutlined = false;
  /** @type {PanelName | null} */
  #panel = null;
  #swappedAt = 0;

  /**
   * @param {HTMLElement} root contains a figure for each panel
   * @param {Record<PanelName, Panel>} panels
   * @param {DifferenceColours} colours of the difference
   */
  constructor(root, panels, colours) {
    super();
    this.#root = root;
    this.#panels = panels;
    this.#lesson = find("[data-lesson]", HTMLElement, root);
    this.#withoutLesson = this.#lesson.textContent;
    this.#line = find("#line", HTMLElement, root);
    this.#figures = new Map(ORDER.map((name) => [name, new Figure(panels[name].viewer.box)]));
    this.#overlay.colours.addEventListener("change", () => panels.real.viewer.redraw());
    drawLegend(find("[data-legend]", HTMLElement, root), colours);
  }

  /** Whether the altered image is shown in place of the real one, or the real one in place of the altered. */
  get isSwapped() {
    return this.#isSwapped;
  }

  get isOverlaid() {
    return this.#isOverlaid;
  }

  /** Whether lines surround what was altered. */
  get isOutlined() {
    return this.#isOutlined;
  }

  /** The panel at full size; null: all three. */
  get panel() {
    return this.#panel;
  }

  /**
   * Say how the image was altered, and on which scale the difference is coloured, from the next start() on.
   * @param {string} sentence "": only that it was altered
   * @param {number | null} fullColour share of the grey scale; null: the scale is that of the picture's own change
   * @param {boolean} hasLine whether to leave room for a line of text: in a session, all triptychs have the same size
   */
  explain(sentence, fullColour, hasLine) {
    this.#overlay.colours.fullColour = fullColour;
    this.#lesson.textContent = sentence || this.#withoutLesson;
    this.#line.hidden = !hasLine;
    this.say("");
  }

  /** @param {string} line shown below the panels; "": none */
  say(line) {
    this.#line.textContent = line;
    if (line) this.#line.hidden = false;
  }

  /** Show three panels, each with its own picture. */
  start() {
    const { picture } = this.#panels.difference.layer;
    if (!picture) throw new Error("The triptych has no difference.");
    this.#overlay.put(picture);
    this.#overlay.colours.start(picture.levels);
    this.#lines.put(null);
    this.#isSwapped = this.#isOverlaid = this.#isOutlined = false;
    this.#panel = null;
    this.#apply();
  }

  /**
   * Exchange real and altered. A held key exchanges them repeatedly and slowly, unless the reader prefers less motion.
   * @param {KeyboardEvent} [event]
   * @returns {boolean} whether they were exchanged
   */
  swap(event) {
    const now = event?.timeStamp ?? performance.now();
    if (event?.repeat) {
      const prefersStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (prefersStill || now - this.#swappedAt < SWAP_MS) return false;
    }
    if (this.#panel === "difference") return false;
    this.#swappedAt = now;
    this.#isSwapped = !this.#isSwapped;
    this.#apply();
    return true;
  }

  /** Draw the difference over the picture, or stop it. Returns false if the difference is alone on screen. */
  toggleOverlay() {
    if (this.#panel === "difference") return false;
    this.#isOverlaid = !this.#isOverlaid;
    this.#apply();
    return true;
  }

  /** Draw lines around what was altered, or stop it. Returns false if the difference is alone on screen. */
  toggleOutline() {
    const difference = this.#panels.difference.layer.picture;
    if (this.#panel === "difference" || !difference) return false;
    if (!this.#lines.picture)
      this.#lines.put({ ...difference, ...outlineOfChange(difference, difference.levels.change) });
    this.#isOutlined = !this.#isOutlined;
    this.#apply();
    return true;
  }

  /** Show one panel at full size: real, altered, difference, then all three. */
  nextPanel() {
    const next = this.#panel === null ? 0 : ORDER.indexOf(this.#panel) + 1;
    this.#panel = ORDER[next] ?? null;
    this.#apply();
    return true;
  }

  #apply() {
    this.#root.toggleAttribute("data-single", this.#panel !== null);
    for (const name of ORDER) {
      const figure = this.#figures.get(name);
      if (!figure) continue;
      figure.element.hidden = this.#panel !== null && this.#panel !== name;
      if (name === "difference") continue;
      // With three panels the left one toggles, and the middle one stays for comparison.
      const isActive = name === (this.#panel ?? "real");
      const shown = isActive && this.#isSwapped ? OTHER[name] : name;
      const base = this.#panels[shown].layer;
      const { viewer } = this.#panels[name];
      const overlay = isActive && this.#isOverlaid ? [this.#overlay] : [];
      viewer.layers = [base, ...overlay, ...(this.#isOutlined ? [this.#lines] : [])];
      figure.caption(shown, viewer.canvas, isActive && this.#isOverlaid);
    }
    this.dispatchEvent(new Event("change"));
  }
}

/** One panel with its captions. */
class Figure {
  element;
  #captions;
  #overlaid;

  /** @param {HTMLElement} box of the canvas */
  constructor(box) {
    const element = box.closest("figure");
    if (!element) throw new Error("A panel of a triptych is not in a figure.");
    this.element = element;
    this.#captions = findAll("[data-shown]", HTMLElement, element);
    this.#overlaid = findAll("[data-overlaid]", HTMLElement, element);
  }

  /**
   * @param {PanelName} shown
   * @param {HTMLCanvasElement} canvas
   * @param {boolean} isOverlaid
   */
  caption(shown, canvas, isOverlaid) {
    for (const caption of this.#captions) {
      caption.hidden = caption.dataset.shown !== shown;
      if (!caption.hidden) canvas.setAttribute("aria-label", data(caption, "label"));
    }
    for (const note of this.#overlaid) note.hidden = !isOverlaid;
  }
}

/**
 * Draw the colours of the difference, and label their ends whenever they change.
 * @param {HTMLElement} legend
 * @param {DifferenceColours} colours
 */
function drawLegend(legend, colours) {
  const scale = find("canvas", HTMLCanvasElement, legend);
  const lowest = find("[data-lowest]", HTMLElement, legend);
  const highest = find("[data-highest]", HTMLElement, legend);
  const context = context2d(scale);
  for (let i = 0; i < scale.width; i++) {
    context.fillStyle = `rgb(${differenceColour((2 * i) / (scale.width - 1) - 1).join(" ")})`;
    context.fillRect(i, 0, 1, scale.height);
  }
  const percent = new Intl.NumberFormat(document.documentElement.lang, {
    style: "percent",
    maximumSignificantDigits: 2,
    signDisplay: "exceptZero",
  });
  colours.addEventListener("change", () => {
    // On a scale of the whole session a change may go beyond the ends.
    const [atMost, atLeast] = colours.fullColour === null ? ["", ""] : ["≤ ", "≥ "];
    // A hyphen is too short for a minus sign.
    lowest.textContent = atMost + percent.format(-colours.share).replace("-", "−");
    highest.textContent = atLeast + percent.format(colours.share);
  });
}
