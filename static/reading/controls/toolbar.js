// The strip of tools: the same commands for buttons and keys.

import { keepBadge } from "./zoom_badge.js";
import { toggleFullScreen } from "./full_screen.js";
import { keepKeys } from "./key_map_dialog.js";
import { COMMANDS, nameOf } from "./key_map.js";
import { commandOf } from "./key_events.js";

const STEP = 0.04; // of the standard window, per key press
const ZOOM = 1.25;
const PAN = 60; // CSS pixels
const HELD_MS = 400; // a magnifier's key held longer than this lets go of it when it comes up

/**
 * @param {import("../viewer/panels.js").Stage} stage
 * @param {HTMLElement} strip holds button[data-command]
 * @param {(what: string) => void} note told of each act of the reader
 */
export function connectTools(stage, strip, note) {
  const help = document.querySelector("#help");
  const commands = { ...pictureCommands(stage), ...triptychCommands(stage), ...pageCommands(stage, strip, help) };

  function run(name, event) {
    const [act, work] = commands[name] ?? [];
    if (!work || (act && act !== "full_screen" && !stage.hasPicture)) return;
    if (work(event) !== false && act) note(act);
  }

  document.addEventListener("click", (event) => {
    const name = event.target.closest?.("[data-command]")?.dataset.command;
    if (name) run(name);
  });
  document.addEventListener("keydown", (event) => {
    const name = commandOf(event);
    if (!name) return;
    event.preventDefault(); // arrows would scroll
    run(name, event);
  });
  letGoOfLoupe(stage.loupe);
  showState(stage, strip);
  keepBadge(document.querySelector("[data-badge]"), stage.view);
  keepKeys(help);
  hideTools(localStorage.getItem("reading.tools") === "hidden");
}

/** Command → what it counts as in the record, and what it does; `false` from it: nothing happened. */
function pictureCommands({ view, tone, loupe, marks }) {
  const pan = (x, y) => {
    if (loupe.on) loupe.moveBy(-x * PAN, -y * PAN);
    else view.panBy(x * PAN * devicePixelRatio, y * PAN * devicePixelRatio);
  };
  return {
    brighter: ["window", () => tone.adjust(-STEP, 0)],
    darker: ["window", () => tone.adjust(STEP, 0)],
    wider: ["window", () => tone.adjust(0, STEP)],
    narrower: ["window", () => tone.adjust(0, -STEP)],
    preset: ["preset", () => tone.nextPreset()],
    standard: ["preset", () => tone.usePreset("standard")],
    whole: ["preset", () => tone.usePreset("whole")],
    dense: ["preset", () => tone.usePreset("dense")],
    invert: ["invert", () => tone.invert()],
    zoomIn: ["zoom", () => view.zoomBy(ZOOM)],
    zoomOut: ["zoom", () => view.zoomBy(1 / ZOOM)],
    fit: ["zoom", () => view.fit()],
    oneToOne: ["zoom", () => view.oneToOne()],
    panUp: ["pan", () => pan(0, 1)],
    panDown: ["pan", () => pan(0, -1)],
    panLeft: ["pan", () => pan(1, 0)],
    panRight: ["pan", () => pan(-1, 0)],
    flipAcross: ["flip", () => view.flipAcross()],
    flipDown: ["flip", () => view.flipDown()],
    turnRight: ["rotate", () => view.turnRight()],
    turnLeft: ["rotate", () => view.turnLeft()],
    loupe: ["loupe", () => void (loupe.on = !loupe.on)],
    mark: [null, () => marks.active && marks.addAtCentre()],
    undoMark: [null, () => marks.undo()],
  };
}

function triptychCommands({ triptych }) {
  if (!triptych) return {};
  return {
    flicker: ["flicker", (event) => triptych.flicker(event)],
    overlay: ["overlay", () => triptych.lay()],
    panel: ["panel", () => triptych.nextPanel()],
  };
}

function pageCommands(stage, strip, help) {
  const drag = (mode) => {
    stage.dragging = mode;
    press(strip, "drag", mode);
  };
  return {
    reset: ["reset", () => stage.reset()],
    dragWindow: [null, () => drag("window")],
    dragPan: [null, () => drag("pan")],
    dragZoom: [null, () => drag("zoom")],
    fullScreen: ["full_screen", () => toggleFullScreen()],
    pause: [null, () => document.dispatchEvent(new CustomEvent("command", { detail: "pause" }))],
    tools: [null, () => hideTools(!document.body.hasAttribute("data-tools-hidden"))],
    help: [null, () => help.showModal()],
  };
}

/** Held, the magnifier stays as long as its key is down; pressed shortly, until the next press. */
function letGoOfLoupe(loupe) {
  let since = Infinity;
  document.addEventListener("keydown", (event) => {
    if (commandOf(event) === "loupe") since = event.timeStamp;
  });
  document.addEventListener("keyup", (event) => {
    if (COMMANDS.of(nameOf(event)) !== "loupe") return;
    if (event.timeStamp - since > HELD_MS) loupe.on = false;
    since = Infinity;
  });
}

function showState({ tone, loupe, triptych }, strip) {
  tone.addEventListener("change", () => {
    press(strip, "preset", tone.preset);
    press(strip, "invert", tone.inverted ? "on" : "off");
  });
  loupe.addEventListener("change", () => press(strip, "loupe", loupe.on ? "on" : "off"));
  triptych?.addEventListener("change", () => {
    press(strip, "flicker", triptych.swapped ? "on" : "off");
    press(strip, "overlay", triptych.overlaid ? "on" : "off");
    press(strip, "panel", triptych.panel ? "on" : "off");
  });
}

function press(strip, group, value) {
  for (const button of strip.querySelectorAll(`[data-group=${group}]`))
    button.setAttribute("aria-pressed", String(button.value === value));
}

function hideTools(hidden) {
  document.body.toggleAttribute("data-tools-hidden", hidden);
  document.querySelector("[data-command=tools]").setAttribute("aria-expanded", String(!hidden));
  localStorage.setItem("reading.tools", hidden ? "hidden" : "shown");
}
