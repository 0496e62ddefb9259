// The dialog of keys: shows the map as it is, changes it.

import { COMMANDS, isReserved, nameOf, STANDARD } from "./key_map.js";

const SHOWN = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };

/** @param {HTMLDialogElement} dialog has a cell [data-keys=command] for each command; its words as data */
export function keepKeys(dialog) {
  const says = dialog.querySelector("[role=status]");
  const cells = [...dialog.querySelectorAll("[data-keys]")];
  const fill = () => cells.forEach((cell) => fillCell(cell, dialog.dataset));
  let asked = null; // the cell whose new key is awaited

  function ask(cell) {
    release();
    asked = cell;
    cell.querySelector("button").textContent = dialog.dataset.press;
    says.textContent = "";
  }

  function release() {
    if (asked) asked.querySelector("button").textContent = dialog.dataset.change;
    asked = null;
  }

  function take(event) {
    if (!asked || /^(Shift|Control|Alt|AltGraph|Meta|CapsLock|Dead)$/.test(event.key)) return;
    if (event.key === "Tab") return release();
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    const cell = asked;
    release();
    if (event.key === "Escape") return;
    says.textContent = change(cell, event);
    fill();
    cell.querySelector("button").focus();
  }

  /** @returns {string} what became of it, in a sentence */
  function change(cell, event) {
    const words = dialog.dataset;
    const key = nameOf(event);
    const command = cell.dataset.keys;
    const sentence = (text, of) => text.replace("{key}", shown(key)).replace("{command}", of);
    if (isReserved(key) || event.ctrlKey || event.metaKey || event.altKey) return sentence(words.reserved, "");
    const owner = COMMANDS.of(key);
    if (owner && owner !== command) return sentence(words.taken, labelOf(owner));
    COMMANDS.change(command, key);
    return sentence(words.changed, labelOf(command));
  }

  const labelOf = (command) =>
    dialog.querySelector(`[data-keys=${command}]`)?.closest("tr").querySelector("th").textContent ?? command;

  dialog.addEventListener("click", (event) => {
    const cell = event.target.closest("button")?.closest("[data-keys]");
    if (cell) ask(cell);
    if (event.target.closest("[data-standard-keys]")) {
      release();
      COMMANDS.standard();
      says.textContent = dialog.dataset.standard;
      fill();
    }
  });
  dialog.addEventListener("keydown", take, { capture: true });
  dialog.addEventListener("cancel", (event) => {
    // Escape while a key is awaited leaves the dialog open.
    if (asked) event.preventDefault();
  });
  dialog.addEventListener("close", () => {
    release();
    says.textContent = "";
  });
  fill();
}

function fillCell(cell, words) {
  const command = cell.dataset.keys;
  const keys = COMMANDS.keysOf(command).map((key) => {
    const kbd = document.createElement("kbd");
    kbd.textContent = shown(key);
    return kbd;
  });
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words.change;
  const label = cell.closest("tr").querySelector("th").textContent;
  button.setAttribute("aria-label", words.changeOf.replace("{command}", label));
  cell.replaceChildren(...keys.flatMap((key) => [key, " "]), button);
  cell.toggleAttribute("data-own", COMMANDS.keysOf(command) !== STANDARD[command]);
}

const shown = (key) =>
  key.length === 1 ? key.toUpperCase() : key.replace("Shift+", "⇧ ").replace(/Arrow\w+/, (arrow) => SHOWN[arrow]);
