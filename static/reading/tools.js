// The strip of tools: the same commands for buttons and keys.

import { commandOf, showKeys } from "./keys.js";

const STEP = 0.04; // of the standard window, per key press
const ZOOM = 1.25;
const PAN = 60; // CSS pixels

/**
 * @param {import("./stage.js").Stage} stage
 * @param {HTMLElement} strip holds button[data-command]
 * @param {(what: string) => void} note told of each act of the reader
 */
export function connectTools(stage, strip, note) {
  const help = document.querySelector("#help");
  const { view, tone } = stage;
  const pan = (x, y) => view.panBy(x * PAN * devicePixelRatio, y * PAN * devicePixelRatio);
  const drag = (mode) => {
    stage.dragging = mode;
    press("drag", mode);
  };
  const commands = {
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
    reset: ["reset", () => stage.reset()],
    dragWindow: [null, () => drag("window")],
    dragPan: [null, () => drag("pan")],
    tools: [null, () => hideTools(!document.body.hasAttribute("data-tools-hidden"))],
    help: [null, () => help.showModal()],
  };

  function run(name) {
    const needsPicture = commands[name][0] !== null;
    if (needsPicture && !stage.hasPicture) return;
    commands[name][1]();
    if (needsPicture) note(commands[name][0]);
  }

  function press(group, value) {
    for (const button of strip.querySelectorAll(`[data-group=${group}]`))
      button.setAttribute("aria-pressed", String(button.value === value));
  }

  document.addEventListener("click", (event) => {
    const name = event.target.closest?.("[data-command]")?.dataset.command;
    if (name) run(name);
  });
  document.addEventListener("keydown", (event) => {
    const name = commandOf(event);
    if (!name) return;
    event.preventDefault(); // arrows would scroll
    run(name);
  });
  tone.addEventListener("change", () => {
    press("preset", tone.preset);
    press("invert", tone.inverted ? "on" : "off");
  });
  const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
  view.addEventListener("change", () => {
    strip.querySelector("[data-zoom]").textContent = percent.format(view.zoom);
  });
  showKeys(help);
  hideTools(localStorage.getItem("reading.tools") === "hidden");
}

function hideTools(hidden) {
  document.body.toggleAttribute("data-tools-hidden", hidden);
  document.querySelector("[data-command=tools]").setAttribute("aria-expanded", String(!hidden));
  localStorage.setItem("reading.tools", hidden ? "hidden" : "shown");
}
