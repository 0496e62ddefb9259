// The page around the images: its sections, its state, its texts.

import { data, find, findAll } from "../dom.js";
import { Pace } from "./pace.js";

/**
 * @typedef {"small" | "check" | "start" | "loading" | "ready" | "asking" | "grace" | "saving" | "offline" | "break"
 *   | "begins" | "closing" | "taken" | "waiting" | "done" | "error" | "signed-out"} PageState
 */
/** @typedef {"small" | "check" | "start" | "read" | "between" | "closing" | "taken" | "signed-out"
 *   | "end"} SectionName */
/** @typedef {Record<string, string | number>} Values of the places in a text */

const QUIET_MS = 500; // an operation that is done within this time is not announced
const ECHO_MS = 300; // a press within this time belongs to the page before
/** @type {ReadonlySet<PageState>} */
const ANNOUNCED = new Set(["grace", "loading", "saving", "offline"]);
/** @type {ReadonlySet<PageState>} */
const PAUSABLE = new Set(["loading", "ready", "asking", "grace", "saving", "offline"]);

/** Dispatches "state" when its state has changed. */
export class Page extends EventTarget {
  #body = document.body;
  #sections = findAll("[data-section]", HTMLElement);
  #texts = find("#words", HTMLElement);
  #progress = find("#progress", HTMLElement);
  #practice = find("#practice", HTMLElement);
  #status = find("#status", HTMLElement);
  #notice = find("#notice", HTMLElement);
  #betweenTitle = find("#between-title", HTMLElement);
  #betweenText = find("#between-text", HTMLElement);
  #continueButton = find("#go-on", HTMLButtonElement);
  #takenText = find("#taken-text", HTMLElement);
  #endTitle = find("#end-title", HTMLElement);
  #endText = find("#end-text", HTMLElement);
  #reload = find("#reload", HTMLElement);
  #receipt = find("#receipt", HTMLElement);
  #nextText = find("#next-text", HTMLElement);
  #nextLink = find("#next-session", HTMLAnchorElement);
  #toSessions = find("#to-sessions", HTMLAnchorElement);
  #number = new Intl.NumberFormat(document.documentElement.lang);
  /** @type {PageState | null} null: not set yet */
  #state = null;
  /** Announced once the current image is ready: that the verdict before it is saved. */
  #readyText = "";
  #position = "";
  #pace = new Pace();
  #timer = 0;

  constructor() {
    super();
    this.#reload.addEventListener("click", () => location.reload());
  }

  /** @param {PageState} state */
  setState(state) {
    this.#state = state;
    this.#body.dataset.state = state;
    this.dispatchEvent(new Event("state"));
    clearTimeout(this.#timer);
    const announce = () => (this.#status.textContent = this.#announcement);
    if (state === "saving" || state === "loading") this.#timer = setTimeout(announce, QUIET_MS);
    else announce();
  }

  get state() {
    return this.#state;
  }

  /** The position in the session, in words; null while there is nothing to pause. */
  get pausablePosition() {
    return this.#state && PAUSABLE.has(this.#state) ? this.#position : null;
  }

  /**
   * Show one of the sections and no other.
   * @param {SectionName} name
   */
  open(name) {
    for (const section of this.#sections) section.hidden = section.dataset.section !== name;
    if (name === "read") return;
    delete this.#body.dataset.position;
    const section = this.#sections.find((section) => !section.hidden);
    section?.querySelector("h1")?.focus(); // read aloud by screen readers
  }

  /**
   * Show the position of the image on screen.
   * @param {number} position
   * @param {number} total
   */
  showPosition(position, total) {
    this.#pace.reach(position);
    const minutes = this.#pace.minutesFor(total - position + 1);
    this.#progress.textContent = this.text("progress", { position, total });
    if (minutes !== null) {
      const left = document.createElement("small");
      left.textContent = this.text("minutesLeft", { minutes });
      this.#progress.append(" ", left);
    }
    this.#position = this.text("pausePlace", { position, total });
    this.#body.dataset.position = String(position);
    this.#readyText = position > 1 ? this.text("saved") : "";
  }

  /** @param {boolean} isPractice whether the image on screen is for practice only */
  showPractice(isPractice) {
    this.#body.toggleAttribute("data-practice", isPractice);
    this.#practice.hidden = !isPractice;
    if (!isPractice) return;
    this.#progress.textContent = this.#position = this.text("practice");
    this.#body.dataset.position = "practice";
    this.#readyText = "";
  }

  /** @param {string} text shown until the next verdict */
  showNotice(text) {
    this.#notice.textContent = text;
  }

  /**
   * Return one of the page's texts with its {places} filled in, numbers in the page's language.
   * @param {string} name
   * @param {Values} [values]
   */
  text(name, values = {}) {
    return data(this.#texts, name).replace(/\{(\w+)\}/g, (match, place) => {
      const value = values[place] ?? match;
      return typeof value === "number" ? this.#number.format(value) : value;
    });
  }

  /**
   * Show the last section.
   * @param {"done" | "waiting" | "error"} state
   * @param {string} title
   * @param {string} text
   */
  end(state, title, text) {
    this.setState(state);
    this.#endTitle.textContent = title;
    this.#endText.textContent = text;
    this.#reload.hidden = state !== "error";
    this.#receipt.hidden = state !== "done";
    this.open("end");
  }

  /**
   * Show what follows a finished session.
   * @param {string} text
   * @param {string | null} url at which the next session can begin
   */
  showNext(text, url) {
    this.#nextText.textContent = text;
    this.#nextLink.hidden = !url;
    this.#toSessions.classList.toggle("primary", !url);
    if (url) this.#nextLink.href = url;
  }

  /**
   * Show a quiet page between two images until the reader continues.
   * @param {"break" | "begins"} name
   * @param {Values} values
   * @returns {Promise<void>}
   */
  interlude(name, values) {
    this.setState(name);
    this.#betweenTitle.textContent = this.text(`${name}Title`);
    this.#betweenText.textContent = this.text(`${name}Text`, values);
    this.#continueButton.textContent = this.text(`${name}Button`);
    this.open("between");
    this.#continueButton.focus();
    const from = performance.now() + ECHO_MS;
    return new Promise((resolve) => {
      this.#continueButton.onclick = (event) => {
        if (event.timeStamp >= from) resolve();
      };
    });
  }

  /** @param {string} text what became of a verdict that was on its way to the server */
  showTakenOver(text) {
    this.#takenText.textContent = text;
    this.setState("taken");
    this.open("taken");
  }

  /** The sign-in is lost: a verdict on its way stays stored and is sent after the next one. */
  showSignedOut() {
    this.setState("signed-out");
    this.open("signed-out");
  }

  get #announcement() {
    if (this.#state === "ready") return this.#readyText;
    return this.#state && ANNOUNCED.has(this.#state) ? this.text(this.#state) : "";
  }
}
