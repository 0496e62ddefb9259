// The pause: the picture is hidden and the clock is stopped until the reader continues. The list of keys is one too.

import { closest, find } from "../dom.js";
import { commandOfKey } from "../controls/key_events.js";

/** @import { Paradata } from "./paradata.js" */
/** @import { KeyMap } from "../controls/key_map.js" */

export class Pause {
  /**
   * Fulfilled if there is no pause, otherwise when it ends.
   * @type {Promise<void>}
   */
  over = Promise.resolve();
  #dialog = find("#pause", HTMLDialogElement);
  #help = find("#help", HTMLDialogElement);
  #position = find("#pause-place", HTMLElement);
  #stage;
  #paradata;
  #keyMap;
  #currentPosition;
  /** @type {(() => void) | null} */
  #resolve = null;

  /**
   * @param {object} parts
   * @param {{hide: () => void, unhide: () => void}} parts.stage
   * @param {Paradata} parts.paradata
   * @param {KeyMap} parts.keyMap
   * @param {() => string | null} parts.currentPosition in words; null while nothing is read
   * @param {boolean} parts.whenHidden whether a pause begins when the page is hidden
   */
  constructor({ stage, paradata, keyMap, currentPosition, whenHidden }) {
    this.#stage = stage;
    this.#paradata = paradata;
    this.#keyMap = keyMap;
    this.#currentPosition = currentPosition;
    document.addEventListener("command", (event) => {
      if (event instanceof CustomEvent && event.detail === "pause") this.begin();
    });
    find("#take-pause", HTMLElement).addEventListener("click", (event) => this.begin(event.timeStamp));
    if (whenHidden)
      document.addEventListener("visibilitychange", (event) => {
        if (document.hidden) this.begin(event.timeStamp);
      });
    this.#dialog.addEventListener("keydown", (event) => this.#pressed(event));
    this.#dialog.addEventListener("submit", (event) => {
      if (!closest(event, "[method=dialog]")) return; // the form of a report
      event.preventDefault();
      this.end();
    });
    this.#help.addEventListener("submit", () => this.#ended());
    this.#help.addEventListener("opened", (event) => this.#hold(event.timeStamp));
    // This event comes late: the next pause may have begun.
    for (const dialog of [this.#dialog, this.#help]) dialog.addEventListener("close", () => this.#closed());
  }

  get isOn() {
    return this.#resolve !== null;
  }

  /** @param {number} [at] time by the page's clock */
  begin(at = performance.now()) {
    if (!this.#hold(at)) return;
    this.#position.textContent = this.#currentPosition();
    this.#dialog.showModal();
  }

  /**
   * Hide the picture and stop the clock.
   * @param {number} at
   * @returns {boolean} whether there is something to pause
   */
  #hold(at) {
    if (this.isOn || this.#currentPosition() === null) return false;
    this.over = new Promise((resolve) => (this.#resolve = resolve));
    this.#paradata.pause(true, at);
    this.#stage.hide();
    return true;
  }

  #closed() {
    if (!this.#dialog.open && !this.#help.open) this.#ended();
  }

  /** Continue: by the button, the pause key or Escape. */
  end() {
    this.#dialog.close();
    this.#ended();
  }

  #ended() {
    const resolve = this.#resolve;
    if (!resolve) return;
    this.#stage.unhide();
    this.#resolve = null;
    // If the page was hidden again before it was drawn, the next pause has begun by then.
    requestAnimationFrame((visible) => {
      if (!this.isOn) this.#paradata.pause(false, visible);
    });
    resolve();
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (closest(event, "textarea")) return;
    // In a dialog only this key is a command.
    if (commandOfKey(this.#keyMap, event) === "pause") {
      event.preventDefault();
      event.stopPropagation(); // the dialog is closed then, and it would be a command again
      this.end();
    } else if (/^[1-9]$/.test(event.key)) this.#paradata.noteUntimely();
  }
}
