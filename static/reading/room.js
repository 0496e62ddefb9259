// The page around the pictures: its sections, the state that it shows, the verdict bar.

import { verdictOf } from "./keys.js";

const QUIET_MS = 500; // an acknowledgement within this time needs no word

export class Room {
  #body = document.body;
  #words = document.querySelector("#words").dataset;
  #status = document.querySelector("#status");
  #bar = document.querySelector("#verdicts");
  #timer = 0;
  #taking = null;
  #onUntimely;

  /** @param {() => void} onUntimely told of a verdict key or button pressed when no verdict is taken */
  constructor(onUntimely) {
    this.#onUntimely = onUntimely;
    this.#bar.addEventListener("click", (event) => this.#clicked(event));
    addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** Show one of the sections: "start", "read" or "end". */
  open(name) {
    for (const section of document.querySelectorAll("[data-section]"))
      section.hidden = section.dataset.section !== name;
    if (name !== "end") return;
    delete this.#body.dataset.position;
    document.querySelector("#end-title").focus();
  }

  /**
   * @param {"start" | "loading" | "ready" | "saving" | "offline" | "waiting" | "done" | "error"} state
   */
  set state(state) {
    this.#body.dataset.state = state;
    for (const button of this.#buttons) button.setAttribute("aria-disabled", String(state !== "ready"));
    clearTimeout(this.#timer);
    const say = () => (this.#status.textContent = this.#words[state] ?? "");
    if (state === "saving" || state === "loading") this.#timer = setTimeout(say, QUIET_MS);
    else say();
  }

  get state() {
    return this.#body.dataset.state;
  }

  /** The picture on screen is this one; null while there is none. */
  place(position, total) {
    document.querySelector("#progress").textContent = this.#words.progress
      .replace("{position}", position)
      .replace("{total}", total);
    this.#body.dataset.position = position;
    this.#words.ready = position > 1 ? this.#words.saved : "";
  }

  /** A sentence that stays until the next verdict. */
  notice(text) {
    document.querySelector("#notice").textContent = text;
  }

  word(name) {
    return this.#words[name];
  }

  /** The end of the reading: done, waiting or broken off, with a sentence. */
  end(state, title, text) {
    this.state = state;
    document.querySelector("#end-title").textContent = title;
    document.querySelector("#end-text").textContent = text;
    document.querySelector("#reload").hidden = state !== "error";
    this.open("end");
  }

  /**
   * Wait for the reader's verdict, by key or button.
   * @param {string[]} verdicts those that the step allows
   * @param {number} from presses before this time belong to the picture before: counted, not taken
   * @returns {Promise<{verdict: string, at: number, by: string}>}
   */
  verdict(verdicts, from) {
    for (const button of this.#bar.querySelectorAll("[data-verdict]"))
      button.hidden = !verdicts.includes(button.dataset.verdict);
    return new Promise((resolve) => (this.#taking = { from, resolve }));
  }

  get #buttons() {
    return [...this.#bar.querySelectorAll("[data-verdict]:not([hidden])")];
  }

  #take(verdict, event, by) {
    if (!this.#taking || event.timeStamp < this.#taking.from) return this.#onUntimely();
    const { resolve } = this.#taking;
    this.#taking = null;
    this.notice("");
    resolve({ verdict, at: event.timeStamp, by });
  }

  #clicked(event) {
    const button = event.target.closest("[data-verdict]");
    // The second click of a double click is not a verdict on the next picture.
    if (!button || event.detail > 1) return;
    this.#take(button.dataset.verdict, event, event.detail === 0 ? "key" : "pointer");
  }

  #pressed(event) {
    // A held Enter on a focused button would click it again and again.
    if (event.repeat && this.#bar.contains(event.target) && /^(Enter| )$/.test(event.key)) event.preventDefault();
    const place = verdictOf(event, this.#buttons.length);
    if (place < 0) return;
    event.preventDefault();
    this.#take(this.#buttons[place].dataset.verdict, event, "key");
  }
}
