// The moment in which an answer can be taken back. It is stored meanwhile, and sent when the moment is over.

import { isElsewhere } from "../controls/key_map.js";
import { find } from "../dom.js";

/** @import { Page } from "./page.js" */
/** @import { Pause } from "./pause.js" */

export class Grace {
  #page;
  #pause;
  #ms;
  #button = find("#take-back", HTMLButtonElement);
  /** @type {((isTakenBack: boolean) => void) | null} null: nothing can be taken back now */
  #end = null;

  /**
   * @param {Page} page
   * @param {Pause} pause in which the moment does not run out
   * @param {number} ms 0: an answer is final at once
   */
  constructor(page, pause, ms) {
    this.#page = page;
    this.#pause = pause;
    this.#ms = ms;
    this.#button.addEventListener("click", () => this.#takeBack());
    addEventListener("keydown", (event) => {
      if (event.key !== "Backspace" || event.repeat || isElsewhere(event) || !this.#end) return;
      event.preventDefault();
      this.#takeBack();
    });
    // Who leaves has decided: the answer is sent while the page still can.
    addEventListener("pagehide", () => this.#finish(false));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#finish(false);
    });
  }

  /** Whether answers can be taken back. */
  get isGiven() {
    return this.#ms > 0;
  }

  /**
   * Wait until the moment is over. Returns whether the answer was taken back.
   * @returns {Promise<boolean>}
   */
  isTakenBack() {
    this.#page.setState("grace");
    this.#button.hidden = false;
    return new Promise((resolve) => {
      this.#end = resolve;
      this.#runOut(resolve);
    });
  }

  /** Nothing can be taken back any more. */
  stop() {
    this.#finish(false);
  }

  /** @param {(isTakenBack: boolean) => void} end of this moment; a later one is left alone */
  #runOut(end) {
    setTimeout(async () => {
      if (this.#end !== end) return;
      if (!this.#pause.isOn) return this.#finish(false);
      await this.#pause.over;
      this.#runOut(end);
    }, this.#ms);
  }

  #takeBack() {
    if (!this.#pause.isOn) this.#finish(true);
  }

  /** @param {boolean} isTakenBack */
  #finish(isTakenBack) {
    this.#button.hidden = true;
    this.#end?.(isTakenBack);
    this.#end = null;
  }
}
