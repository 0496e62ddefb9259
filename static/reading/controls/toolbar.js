// The toolbar: the same commands for buttons and keys.

import { closest, find, findAll } from "../dom.js";
import { toggleFullScreen } from "./full_screen.js";
import { commandOf } from "./key_events.js";
import { keyName } from "./key_map.js";
import { KeyMapDialog } from "./key_map_dialog.js";
import { connectZoomBadge } from "./zoom_badge.js";

/** @import { Panels } from "../viewer/panels.js" */
/** @import { KeyMap } from "./key_map.js" */

/**
 * @typedef {object} Action
 * @property {string | null} act under which it is counted in the paradata; null: not counted
 * @property {(event?: KeyboardEvent) => unknown} run returns `false` if nothing happened
 */
/** @typedef {Record<string, Action>} Actions by command */

const STEP = 0.04; // of the width of the standard window, per key press
const ZOOM = 1.25;
const PAN = 60; // CSS pixels
const HELD_MS = 400; // a magnifier key that was held longer switches it off on release
const HIDDEN = "reading.tools";

export class Toolbar {
  #panels;
  #keyMap;
  #onAct;
  #toggles;
  #showButton;
  #actions;

  /**
   * @param {Panels} panels
   * @param {KeyMap} keyMap
   * @param {(act: string) => void} onAct called after each act of the reader
   */
  constructor(panels, keyMap, onAct) {
    this.#panels = panels;
    this.#keyMap = keyMap;
    this.#onAct = onAct;
    this.#toggles = findAll("#tools [data-group]", HTMLButtonElement);
    this.#showButton = find("[data-command=tools]", HTMLElement);
    const dialog = new KeyMapDialog(find("#help", HTMLDialogElement), keyMap);
    this.#actions = {
      ...windowActions(panels),
      ...viewportActions(panels),
      ...markActions(panels),
      ...triptychActions(panels),
      ...this.#pageActions(dialog),
    };
    document.addEventListener("click", (event) => this.#clicked(event));
    document.addEventListener("keydown", (event) => this.#pressed(event));
    this.#switchOffHeldLoupe();
    this.#showStates();
    connectZoomBadge(find("[data-badge]", HTMLElement), panels.viewport);
    this.#hide(localStorage.getItem(HIDDEN) === "hidden");
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const command = closest(event, "[data-command]")?.dataset.command;
    if (command) this.#run(command);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const command = commandOf(this.#keyMap, event);
    if (!command) return;
    event.preventDefault(); // arrows would scroll
    this.#run(command, event);
  }

  /**
   * @param {string} command
   * @param {KeyboardEvent} [event]
   */
  #run(command, event) {
    const action = this.#actions[command];
    if (!action || (action.act && action.act !== "full_screen" && !this.#panels.hasPicture)) return;
    if (action.run(event) !== false && action.act) this.#onAct(action.act);
  }

  /**
   * @param {KeyMapDialog} dialog
   * @returns {Actions}
   */
  #pageActions(dialog) {
    /** @param {import("../viewer/pointer.js").DragMode} mode */
    const drag = (mode) => {
      this.#panels.dragMode = mode;
      this.#press("drag", mode);
    };
    return {
      reset: { act: "reset", run: () => this.#panels.reset() },
      dragWindow: { act: null, run: () => drag("window") },
      dragPan: { act: null, run: () => drag("pan") },
      dragZoom: { act: null, run: () => drag("zoom") },
      fullScreen: { act: "full_screen", run: () => toggleFullScreen() },
      pause: { act: null, run: () => document.dispatchEvent(new CustomEvent("command", { detail: "pause" })) },
      tools: { act: null, run: () => this.#hide(!document.body.hasAttribute("data-tools-hidden")) },
      help: { act: null, run: () => dialog.open() },
    };
  }

  /** A magnifier key that is held shows it until the release; a short press shows it until the next press. */
  #switchOffHeldLoupe() {
    let since = Infinity;
    document.addEventListener("keydown", (event) => {
      if (commandOf(this.#keyMap, event) === "loupe") since = event.timeStamp;
    });
    document.addEventListener("keyup", (event) => {
      if (this.#keyMap.commandOf(keyName(event)) !== "loupe") return;
      if (event.timeStamp - since > HELD_MS) this.#panels.loupe.isOn = false;
      since = Infinity;
    });
  }

  #showStates() {
    const { windowLevel, loupe, triptych } = this.#panels;
    windowLevel.addEventListener("change", () => {
      this.#press("preset", windowLevel.preset);
      this.#press("invert", windowLevel.isInverted ? "on" : "off");
    });
    loupe.addEventListener("change", () => this.#press("loupe", loupe.isOn ? "on" : "off"));
    triptych?.addEventListener("change", () => {
      this.#press("flicker", triptych.isSwapped ? "on" : "off");
      this.#press("overlay", triptych.isOverlaid ? "on" : "off");
      this.#press("panel", triptych.panel ? "on" : "off");
    });
  }

  /**
   * Show the one button of a group as pressed that has this value.
   * @param {string} group
   * @param {string | null} value
   */
  #press(group, value) {
    for (const button of this.#toggles)
      if (button.dataset.group === group) button.setAttribute("aria-pressed", String(button.value === value));
  }

  /** @param {boolean} isHidden */
  #hide(isHidden) {
    document.body.toggleAttribute("data-tools-hidden", isHidden);
    this.#showButton.setAttribute("aria-expanded", String(!isHidden));
    localStorage.setItem(HIDDEN, isHidden ? "hidden" : "shown");
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
    dense: { act: "preset", run: () => windowLevel.usePreset("dense") },
    invert: { act: "invert", run: () => windowLevel.invert() },
  };
}

/**
 * @param {Panels} panels
 * @returns {Actions}
 */
function viewportActions({ viewport, loupe }) {
  /** @type {(x: number, y: number) => void} */
  const pan = (x, y) => {
    if (loupe.isOn) loupe.moveBy(-x * PAN, -y * PAN);
    else viewport.panBy(x * PAN * devicePixelRatio, y * PAN * devicePixelRatio);
  };
  return {
    zoomIn: { act: "zoom", run: () => viewport.zoomBy(ZOOM) },
    zoomOut: { act: "zoom", run: () => viewport.zoomBy(1 / ZOOM) },
    fit: { act: "zoom", run: () => viewport.fit() },
    oneToOne: { act: "zoom", run: () => viewport.oneToOne() },
    panUp: { act: "pan", run: () => pan(0, 1) },
    panDown: { act: "pan", run: () => pan(0, -1) },
    panLeft: { act: "pan", run: () => pan(1, 0) },
    panRight: { act: "pan", run: () => pan(-1, 0) },
    flipAcross: { act: "flip", run: () => viewport.flipAcross() },
    flipDown: { act: "flip", run: () => viewport.flipDown() },
    turnRight: { act: "rotate", run: () => viewport.turnRight() },
    turnLeft: { act: "rotate", run: () => viewport.turnLeft() },
    loupe: { act: "loupe", run: () => void (loupe.isOn = !loupe.isOn) },
  };
}

/**
 * @param {Panels} panels
 * @returns {Actions}
 */
function markActions({ marks }) {
  return { mark: { act: null, run: () => marks.isActive && marks.addAtCentre() } };
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
    panel: { act: "panel", run: () => triptych.nextPanel() },
  };
}
