// The ring that fills while an image loads, and the sentence that follows if that takes long.

import { data, find } from "../dom.js";

const APPEARS_MS = 300; // a ring that only flashes would disturb
const SAYS_SO_MS = 2000;
const LOOK_MS = 100;

export class LoadingRing {
  #element = find("#loading", HTMLElement);
  #arc = find("#loading [data-arc]", SVGCircleElement);
  #text = find("#loading p", HTMLElement);
  #timer = 0;

  /**
   * Show the ring until hide().
   * @param {() => number} progress the share that has arrived, from 0 to 1
   */
  show(progress) {
    this.hide();
    const since = performance.now();
    this.#timer = setInterval(() => {
      const waited = performance.now() - since;
      this.#element.hidden = waited < APPEARS_MS;
      this.#arc.setAttribute("stroke-dasharray", `${Math.round(100 * progress())} 100`);
      if (waited >= SAYS_SO_MS) this.#text.textContent = data(this.#element, "text");
    }, LOOK_MS);
  }

  hide() {
    clearInterval(this.#timer);
    this.#element.hidden = true;
    this.#text.textContent = "";
  }
}
