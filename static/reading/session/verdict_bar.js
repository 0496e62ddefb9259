// The verdict buttons and their keys.

import { choiceOf } from "../controls/key_events.js";
import { closest, data, find, findAll } from "../dom.js";

/** @typedef {{verdict: string, at: number, by: "key" | "pointer"}} GivenVerdict `at` by the page's clock */

export class VerdictBar {
  #bar = find("#verdicts", HTMLElement);
  #buttons = findAll("[data-verdict]", HTMLElement, this.#bar);
  #page;
  #isBlocked;
  #onUntimely;
  /** @type {{from: number, resolve: (given: GivenVerdict) => void} | null} */
  #awaited = null;

  /**
   * @param {import("./page.js").Page} page
   * @param {object} callbacks
   * @param {() => boolean} callbacks.isBlocked whether verdicts are ignored now, in a pause
   * @param {() => void} callbacks.onUntimely called when a verdict is pressed that cannot be taken
   */
  constructor(page, { isBlocked, onUntimely }) {
    this.#page = page;
    this.#isBlocked = isBlocked;
    this.#onUntimely = onUntimely;
    page.addEventListener("state", () => this.#showState());
    this.#bar.addEventListener("click", (event) => this.#clicked(event));
    addEventListener("keydown", (event) => this.#pressed(event));
  }

  /**
   * Wait for the reader's verdict, by key or button.
   * @param {string[]} verdicts that the step allows
   * @param {number} from presses before this time belong to the picture before: counted, not taken
   * @returns {Promise<GivenVerdict>}
   */
  verdict(verdicts, from) {
    for (const button of this.#buttons) button.hidden = !verdicts.includes(data(button, "verdict"));
    return new Promise((resolve) => (this.#awaited = { from, resolve }));
  }

  /** @param {string | null} verdict that is marked as given; null: none */
  showGiven(verdict) {
    for (const button of this.#buttons) button.toggleAttribute("data-given", data(button, "verdict") === verdict);
  }

  /** Take no verdict until the next call of verdict(). */
  stop() {
    this.#awaited = null;
    this.showGiven(null);
  }

  get #visibleButtons() {
    return this.#buttons.filter((button) => !button.hidden);
  }

  #showState() {
    const isDisabled = this.#page.state !== "ready";
    for (const button of this.#visibleButtons) button.setAttribute("aria-disabled", String(isDisabled));
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const button = closest(event, "[data-verdict]");
    // The second click of a double click is not a verdict on the next picture.
    if (!button || event.detail > 1) return;
    this.#take(button, event, event.detail === 0 ? "key" : "pointer");
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    // A held Enter on a focused button would click it again and again.
    const isInside = event.target instanceof Node && this.#bar.contains(event.target);
    if (event.repeat && isInside && /^(Enter| )$/.test(event.key)) event.preventDefault();
    if (this.#page.state === "asking") return; // the digits belong to the question
    const buttons = this.#visibleButtons;
    const button = buttons[choiceOf(event, buttons.length)];
    if (!button) return;
    event.preventDefault();
    this.#take(button, event, "key");
  }

  /**
   * @param {HTMLElement} button
   * @param {Event} event
   * @param {"key" | "pointer"} by
   */
  #take(button, event, by) {
    if (!this.#awaited || this.#isBlocked() || event.timeStamp < this.#awaited.from) return this.#onUntimely();
    const { resolve } = this.#awaited;
    this.#awaited = null;
    // Space and Enter must not press it again on the next picture.
    if (document.activeElement instanceof HTMLElement && this.#bar.contains(document.activeElement))
      document.activeElement.blur();
    this.#page.showNotice("");
    resolve({ verdict: data(button, "verdict"), at: event.timeStamp, by });
  }
}
