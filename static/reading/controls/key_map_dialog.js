// The dialog of keyboard shortcuts: shows the key map and changes it.

import { closest, data, find, findAll } from "../dom.js";
import { isReserved, keyName, symbolOf } from "./key_map.js";

const MODIFIERS = /^(Shift|Control|Alt|AltGraph|Meta|CapsLock|Dead)$/;

/** Dispatches "opened" on the dialog. */
export class KeyMapDialog {
  #dialog;
  #keyMap;
  #message;
  #rows;
  /**
   * The row whose new key is awaited.
   * @type {Row | null}
   */
  #awaited = null;

  /**
   * @param {HTMLDialogElement} dialog contains a cell [data-keys=command] for each command, and has its texts as data
   * @param {import("./key_map.js").KeyMap} keyMap
   */
  constructor(dialog, keyMap) {
    this.#dialog = dialog;
    this.#keyMap = keyMap;
    this.#message = find("[role=status]", HTMLElement, dialog);
    this.#rows = findAll("[data-keys]", HTMLElement, dialog).map((cell) => new Row(cell, dialog.dataset));
    dialog.addEventListener("click", (event) => this.#clicked(event));
    dialog.addEventListener("keydown", (event) => this.#pressed(event), { capture: true });
    dialog.addEventListener("cancel", (event) => {
      // Escape while a key is awaited leaves the dialog open.
      if (this.#awaited) event.preventDefault();
    });
    dialog.addEventListener("close", () => this.#closed());
    this.#show();
  }

  open() {
    this.#dialog.dispatchEvent(new Event("opened"));
    this.#dialog.showModal();
  }

  #show() {
    for (const row of this.#rows) row.show(this.#keyMap);
  }

  /** @param {Event} event */
  #clicked(event) {
    const button = closest(event, "button");
    const row = this.#rows.find((row) => button && row.cell.contains(button));
    if (row) this.#await(row);
    if (closest(event, "[data-standard-keys]")) {
      this.#stopWaiting();
      this.#keyMap.reset();
      this.#message.textContent = data(this.#dialog, "standard");
      this.#show();
    }
  }

  /** @param {Row} row */
  #await(row) {
    this.#stopWaiting();
    this.#awaited = row;
    row.label = data(this.#dialog, "press");
    this.#message.textContent = "";
  }

  #stopWaiting() {
    if (this.#awaited) this.#awaited.label = data(this.#dialog, "change");
    this.#awaited = null;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const row = this.#awaited;
    if (!row) return this.#closedBy(event);
    if (MODIFIERS.test(event.key)) return;
    if (event.key === "Tab") return this.#stopWaiting();
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    this.#stopWaiting();
    if (event.key === "Escape") return;
    this.#message.textContent = this.#change(row, event);
    this.#show();
    row.focus();
  }

  /**
   * The key that opened the list closes it.
   * @param {KeyboardEvent} event
   */
  #closedBy(event) {
    if (event.repeat || this.#keyMap.commandOf(keyName(event)) !== "help") return;
    event.preventDefault();
    event.stopPropagation();
    this.#dialog.close();
  }

  /**
   * Change the key of a row if that is possible.
   * @param {Row} row
   * @param {KeyboardEvent} event
   * @returns {string} the result, for the reader
   */
  #change(row, event) {
    const key = keyName(event);
    /** @type {(name: string, command?: string) => string} */
    const message = (name, command = "") =>
      data(this.#dialog, name).replace("{key}", symbolOf(key)).replace("{command}", command);
    if (isReserved(key) || event.ctrlKey || event.metaKey || event.altKey) return message("reserved");
    const owner = this.#keyMap.commandOf(key);
    this.#keyMap.change(row.command, key);
    if (!owner || owner === row.command) return message("changed", row.title);
    const given = symbolOf(this.#keyMap.keysOf(owner)[0]);
    return message("swapped", row.title).replace("{given}", given).replace("{other}", this.#titleOf(owner));
  }

  /** @param {string} command */
  #titleOf(command) {
    return this.#rows.find((row) => row.command === command)?.title ?? command;
  }

  #closed() {
    this.#stopWaiting();
    this.#message.textContent = "";
  }
}

/** One command with its keys and the button that changes them. */
class Row {
  #button = document.createElement("button");

  /**
   * @param {HTMLElement} cell
   * @param {DOMStringMap} texts
   */
  constructor(cell, texts) {
    this.cell = cell;
    this.command = data(cell, "keys");
    this.title = cell.closest("tr")?.querySelector("th")?.textContent ?? "";
    this.#button.type = "button";
    this.#button.textContent = texts.change ?? "";
    this.#button.setAttribute("aria-label", (texts.changeOf ?? "").replace("{command}", this.title));
  }

  /** @param {string} label */
  set label(label) {
    this.#button.textContent = label;
  }

  focus() {
    this.#button.focus();
  }

  /** @param {import("./key_map.js").KeyMap} keyMap */
  show(keyMap) {
    const keys = keyMap.keysOf(this.command).map((key) => {
      const element = document.createElement("kbd");
      element.textContent = symbolOf(key);
      return element;
    });
    this.cell.replaceChildren(...keys.flatMap((key) => [key, " "]), this.#button);
    this.cell.toggleAttribute("data-changed", keyMap.isChanged(this.command));
  }
}
