// The page around the pictures: its sections, the state that it shows, the verdict bar.

import { verdictOf } from "../controls/key_events.js";

const QUIET_MS = 500; // an acknowledgement within this time needs no word
const ECHO_MS = 300; // a press so soon was meant for what stood there before
const NUMBER = new Intl.NumberFormat(document.documentElement.lang);

export class Room {
  /** Where the reader stands, in words. */
  standing = "";
  #body = document.body;
  #words = document.querySelector("#words").dataset;
  #status = document.querySelector("#status");
  #bar = document.querySelector("#verdicts");
  #timer = 0;
  #taking = null;
  #onUntimely;
  #isBlocked;

  /**
   * @param {() => void} onUntimely told of a verdict key or button pressed when no verdict is taken
   * @param {() => boolean} isBlocked whether none is taken just now, in a pause
   */
  constructor(onUntimely, isBlocked) {
    this.#onUntimely = onUntimely;
    this.#isBlocked = isBlocked;
    this.#bar.addEventListener("click", (event) => this.#clicked(event));
    addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** Show one of the sections: "small", "check", "start", "read", "between", "taken" or "end". */
  open(name) {
    for (const section of document.querySelectorAll("[data-section]"))
      section.hidden = section.dataset.section !== name;
    if (name === "read") return;
    delete this.#body.dataset.position;
    document.querySelector(`[data-section=${name}] h1`)?.focus(); // read out
  }

  /**
   * @param {"small" | "check" | "start" | "loading" | "ready" | "asking" | "saving" | "offline" | "break" | "begins"
   *   | "taken" | "waiting" | "done" | "error"} state
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

  /** The picture on screen is this one. */
  place(position, total) {
    document.querySelector("#progress").textContent = this.sentence("progress", { position, total });
    this.standing = this.sentence("pausePlace", { position, total });
    this.#body.dataset.position = position;
    this.#words.ready = position > 1 ? this.#words.saved : "";
  }

  /** Whether the picture on screen is there for practice only. */
  set practice(isPractice) {
    this.#body.toggleAttribute("data-practice", isPractice);
    document.querySelector("#practice").hidden = !isPractice;
    if (!isPractice) return;
    document.querySelector("#progress").textContent = this.#words.practice;
    this.standing = this.#words.practice;
    this.#body.dataset.position = "practice";
    this.#words.ready = "";
  }

  /** A sentence that stays until the next verdict. */
  notice(text) {
    document.querySelector("#notice").textContent = text;
  }

  word(name) {
    return this.#words[name];
  }

  /** A word with its {places} filled in, numbers in the page's language. */
  sentence(name, values) {
    return this.#words[name].replace(/\{(\w+)\}/g, (_, place) =>
      typeof values[place] === "number" ? NUMBER.format(values[place]) : values[place],
    );
  }

  /** The end of the reading: done, waiting or broken off, with a sentence. */
  end(state, title, text) {
    this.state = state;
    document.querySelector("#end-title").textContent = title;
    document.querySelector("#end-text").textContent = text;
    document.querySelector("#reload").hidden = state !== "error";
    this.open("end");
  }

  /** What comes after a finished session. @param {string} text @param {string | null} url where it can begin */
  follow(text, url) {
    document.querySelector("#next-text").textContent = text;
    const link = document.querySelector("#next-session");
    link.hidden = !url;
    if (url) link.href = url;
  }

  /**
   * A quiet page between two images, until the reader goes on.
   * @param {"break" | "begins"} name
   * @returns {Promise<void>}
   */
  between(name, values) {
    this.state = name;
    document.querySelector("#between-title").textContent = this.#words[`${name}Title`];
    document.querySelector("#between-text").textContent = this.sentence(`${name}Text`, values);
    const button = document.querySelector("#go-on");
    button.textContent = this.#words[`${name}Button`];
    this.open("between");
    button.focus();
    const from = performance.now() + ECHO_MS;
    return new Promise((resolve) => {
      button.onclick = (event) => event.timeStamp >= from && resolve();
    });
  }

  /** Another page reads on. @param {string} text what became of the verdict that was on its way */
  taken(text) {
    this.#taking = null;
    document.querySelector("#taken-text").textContent = text;
    this.state = "taken";
    this.open("taken");
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
    if (!this.#taking || this.#isBlocked() || event.timeStamp < this.#taking.from) return this.#onUntimely();
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
    if (this.state === "asking") return; // the digits belong to the question
    const place = verdictOf(event, this.#buttons.length);
    if (place < 0) return;
    event.preventDefault();
    this.#take(this.#buttons[place].dataset.verdict, event, "key");
  }
}
