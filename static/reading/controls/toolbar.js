// The toolbar: the same commands for buttons and keys, those of the form and those of the page.

import { closest, find, findAll } from "../dom.js";
import { toggleFullScreen } from "./full_screen.js";
import { commandOf } from "./key_events.js";
import { keyName, symbolOf } from "./key_map.js";
import { KeyMapDialog } from "./key_map_dialog.js";

/** @import { Actions, Opened } from "../forms/form.js" */
/** @import { KeyMap } from "./key_map.js" */

const HIDDEN = "reading.tools";

/** @template Image */
export class Toolbar {
  #stage;
  #tools;
  #keyMap;
  #onAct;
  #toggles;
  #showButton;
  /** @type {Actions} */
  #actions;
  /** @type {Map<string, number>} when the key of a command was pressed, until its release */
  #heldSince = new Map();

  /**
   * @param {Opened<Image>} opened
   * @param {KeyMap} keyMap
   * @param {(act: string) => void} onAct called after each act of the reader
   */
  constructor({ stage, tools }, keyMap, onAct) {
    this.#stage = stage;
    this.#tools = tools;
    this.#keyMap = keyMap;
    this.#onAct = onAct;
    this.#toggles = findAll("#tools [data-group]", HTMLButtonElement);
    this.#showButton = find("[data-command=tools]", HTMLElement);
    const dialog = new KeyMapDialog(find("#help", HTMLDialogElement), keyMap);
    this.#actions = { ...tools.actions, ...this.#pageActions(dialog) };
    document.addEventListener("click", (event) => this.#clicked(event));
    document.addEventListener("keydown", (event) => this.#pressed(event));
    document.addEventListener("keyup", (event) => this.#released(event));
    tools.addEventListener("change", () => this.#showPressed());
    keyMap.addEventListener("change", () => this.#showKeys());
    this.#showKeys();
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
    if (!event.repeat) this.#heldSince.set(command, event.timeStamp);
    this.#run(command, event);
  }

  /** @param {KeyboardEvent} event */
  #released(event) {
    const command = this.#keyMap.commandOf(keyName(event)) ?? "";
    const since = this.#heldSince.get(command) ?? Infinity;
    this.#heldSince.delete(command);
    this.#actions[command]?.release?.(event.timeStamp - since);
  }

  /**
   * @param {string} command
   * @param {KeyboardEvent} [event]
   */
  #run(command, event) {
    const action = this.#actions[command];
    if (!action || (action.act && action.act !== "full_screen" && !this.#stage.hasImages)) return;
    if (action.run(event) !== false && action.act) this.#onAct(action.act);
  }

  /**
   * @param {KeyMapDialog} dialog
   * @returns {Actions}
   */
  #pageActions(dialog) {
    const { marks } = this.#stage;
    return {
      mark: { act: null, run: () => marks.isActive && marks.addAtCentre() },
      fullScreen: { act: "full_screen", run: () => toggleFullScreen() },
      pause: { act: null, run: () => document.dispatchEvent(new CustomEvent("command", { detail: "pause" })) },
      report: { act: null, run: () => document.dispatchEvent(new CustomEvent("command", { detail: "report" })) },
      tools: { act: null, run: () => this.#hide(!document.body.hasAttribute("data-tools-hidden")) },
      help: { act: null, run: () => dialog.open() },
    };
  }

  /** Say on each button which keys do the same. */
  #showKeys() {
    for (const button of findAll("button[data-command]", HTMLButtonElement)) {
      const keys = this.#keyMap.keysOf(button.dataset.command ?? "");
      const name = button.getAttribute("aria-label") ?? button.textContent?.trim();
      button.title = keys ? `${name} (${keys.map(symbolOf).join(", ")})` : (name ?? "");
    }
  }

  /** Show the one button of each group as pressed that has the group's value. */
  #showPressed() {
    const { pressed } = this.#tools;
    for (const button of this.#toggles) {
      const isPressed = String(pressed[button.dataset.group ?? ""] === button.value);
      // With every movement of the pointer: leave alone what stays as it is.
      if (button.getAttribute("aria-pressed") !== isPressed) button.setAttribute("aria-pressed", isPressed);
    }
  }

  /** @param {boolean} isHidden */
  #hide(isHidden) {
    document.body.toggleAttribute("data-tools-hidden", isHidden);
    this.#showButton.setAttribute("aria-expanded", String(!isHidden));
    localStorage.setItem(HIDDEN, isHidden ? "hidden" : "shown");
  }
}
