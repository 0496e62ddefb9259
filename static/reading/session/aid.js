// The aid beside the image: the score of an AI system with its threshold, in text and as a bar.

import { data, find } from "../dom.js";

/** @import { AidScore } from "../network/api.js" */

const DECIMALS = { minimumFractionDigits: 2, maximumFractionDigits: 2 };

/** Does nothing in a session without an aid. */
export class Aid {
  #element = document.querySelector("#aid");
  #number = new Intl.NumberFormat(document.documentElement.lang, DECIMALS);

  /**
   * Show the aid of the image that is drawn now.
   * @param {AidScore | null} aid null: the image has none
   */
  show(aid) {
    const element = this.#element;
    if (!(element instanceof HTMLElement)) return;
    element.dataset.shown = aid ? "score" : "none";
    const threshold = this.#number.format(Number(aid?.threshold ?? 0));
    const side = data(element, aid ? (aid.above ? "above" : "below") : "none").replace("{threshold}", threshold);
    find("#aid-score", HTMLElement, element).textContent = aid ? this.#number.format(Number(aid.score)) : "–";
    find("#aid-side", HTMLElement, element).textContent = side;
    find(".bar", SVGElement, element).setAttribute("width", String(100 * Number(aid?.score ?? 0)));
    for (const end of ["x1", "x2"])
      find(".threshold", SVGElement, element).setAttribute(end, String(100 * Number(aid?.threshold ?? 0)));
  }

  /** Remove it with the image. */
  clear() {
    if (this.#element instanceof HTMLElement) delete this.#element.dataset.shown;
  }

  /** What the paradata say of it: whether the score is visible. Empty in a session without an aid. */
  get facts() {
    const element = this.#element;
    if (!(element instanceof HTMLElement)) return {};
    const isVisible = find("#aid-score", HTMLElement, element).checkVisibility({ visibilityProperty: true });
    return { aid_shown: element.dataset.shown === "score" && isVisible };
  }
}
