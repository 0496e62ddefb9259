// The commands of pictures: window, zoom, flip, magnifier, and those of a triptych.

/** @import { Actions } from "../form.js" */
/** @import { Panels } from "./panels.js" */
/** @import { DragMode } from "./pointer.js" */

const STEP = 0.04; // of the width of the standard window, per key press
const ZOOM = 1.25;
const PAN = 60; // CSS pixels
const HELD_MS = 400; // a magnifier key that was held longer switches it off on release

/** Dispatches "change". */
export class PictureTools extends EventTarget {
  /** @type {Actions} */
  actions;
  #panels;
  /** @type {DragMode} */
  #dragMode = "window";

  /**
   * @param {Panels} panels
   * @param {() => number} trueSize CSS pixels per picture pixel at which the picture has its true size; 0: unknown
   */
  constructor(panels, trueSize) {
    super();
    this.#panels = panels;
    this.actions = {
      ...windowActions(panels),
      ...viewportActions(panels, trueSize),
      ...triptychActions(panels),
      reset: { act: "reset", run: () => panels.reset() },
      dragWindow: { act: null, run: () => this.#drag("window") },
      dragPan: { act: null, run: () => this.#drag("pan") },
      dragZoom: { act: null, run: () => this.#drag("zoom") },
    };
    for (const button of document.querySelectorAll("[data-command=trueSize]"))
      button.toggleAttribute("hidden", !trueSize());
    for (const source of [panels.windowLevel, panels.loupe, panels.triptych])
      source?.addEventListener("change", () => this.#changed());
  }

  get pressed() {
    const { windowLevel, loupe, triptych } = this.#panels;
    /** @param {unknown} isOn */
    const state = (isOn) => (isOn ? "on" : "off");
    return {
      drag: this.#dragMode,
      preset: windowLevel.preset,
      invert: state(windowLevel.isInverted),
      loupe: state(loupe.isOn),
      flicker: state(triptych?.isSwapped),
      overlay: state(triptych?.isOverlaid),
      outline: state(triptych?.isOutlined),
      panel: state(triptych?.panel),
    };
  }

  /** @param {DragMode} mode */
  #drag(mode) {
    this.#dragMode = this.#panels.dragMode = mode;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * @param {Panels} panels
 * @returns {Actions}
 */
function windowActions({ windowLevel }) {
  return {
    brighter: { act: "window", run: () => windowLevel.adjust(-STEP, 0) },
    darker: { act: "window", run: () => windowLevel.adjust(STEP, 0) },
    wider: { act: "window", run: () => windowLevel.adjust(0, STEP) },
    narrower: { act: "window", run: () => windowLevel.adjust(0, -STEP) },
    preset: { act: "preset", run: () => windowLevel.nextPreset() },
    standard: { act: "preset", run: () => windowLevel.usePreset("standard") },
    whole: { act: "preset", run: () => windowLevel.usePreset("whole") },
    upper: { act: "preset", run: () => windowLevel.usePreset("upper") },
    invert: { act: "invert", run: () => windowLevel.invert() },
  };
}

/**
 * @param {Panels} panels
 * @param {() => number} trueSize
 * @returns {Actions}
 */
function viewportActions(panels, trueSize) {
  const { viewport, loupe } = panels;

  /** @type {(x: number, y: number) => void} */
  const pan = (x, y) => {
    if (loupe.isOn) loupe.moveBy(-x * PAN, -y * PAN);
    else viewport.panBy(x * PAN * devicePixelRatio, y * PAN * devicePixelRatio);
  };
  const zoom = (/** @type {1 | -1} */ by) => (loupe.isOn ? loupe.strengthen(by) : viewport.zoomBy(ZOOM ** by));
  return {
    zoomIn: { act: "zoom", run: () => zoom(1) },
    zoomOut: { act: "zoom", run: () => zoom(-1) },
    fit: { act: "zoom", run: () => viewport.fit() },
    oneToOne: { act: "zoom", run: () => viewport.oneToOne() },
    trueSize: {
      act: "zoom",
      run: () => (trueSize() > 0 ? viewport.zoomTo(trueSize() * panels.devicePixels) : false),
    },
    panUp: { act: "pan", run: () => pan(0, 1) },
    panDown: { act: "pan", run: () => pan(0, -1) },
    panLeft: { act: "pan", run: () => pan(1, 0) },
    panRight: { act: "pan", run: () => pan(-1, 0) },
    flipAcross: { act: "flip", run: () => viewport.flipAcross() },
    flipDown: { act: "flip", run: () => viewport.flipDown() },
    turnRight: { act: "rotate", run: () => viewport.turnRight() },
    turnLeft: { act: "rotate", run: () => viewport.turnLeft() },
    // A key that is held shows the magnifier until its release; a short press until the next press.
    loupe: {
      act: "loupe",
      run: () => void (loupe.isOn = !loupe.isOn),
      release: (heldMs) => {
        if (heldMs > HELD_MS) loupe.isOn = false;
      },
    },
  };
}

/**
 * @param {Panels} panels
 * @returns {Actions}
 */
function triptychActions({ triptych }) {
  if (!triptych) return {};
  return {
    flicker: { act: "flicker", run: (event) => triptych.swap(event) },
    overlay: { act: "overlay", run: () => triptych.toggleOverlay() },
    outline: { act: "outline", run: () => triptych.toggleOutline() },
    panel: { act: "panel", run: () => triptych.nextPanel() },
  };
}
