// The display check before a session. The page shows the figures and collects the answers; the server judges them.

import { data, find, findAll } from "../dom.js";
import { post, retry } from "../network/api.js";
import { KeptCheck, screenNow } from "./kept_check.js";
import { drawLetters, drawSquare, randomLetters, randomQuarter } from "./optotypes.js";

/** @import { Quarter } from "./optotypes.js" */

/**
 * @typedef {object} DisplayRules
 * @property {string} url to which the results are sent
 * @property {boolean} required whether the check must be passed
 * @property {Record<string, number>} grounds levels of the backgrounds of the letters, by name
 * @property {number[]} contrasts of the letters, in levels
 * @property {Record<string, [number, number]>} squares levels of background and square, by name
 * @property {[number, number]} card_mm width and height of a bank card
 * @property {number} stands_for_s for so many seconds a check on this screen stands for later sessions
 */

export class DisplayCheck {
  #rules;
  #section = find("[data-section=check]", HTMLElement);
  #steps = findAll("form", HTMLFormElement, this.#section);
  #card = find("[data-card]", SVGSVGElement, this.#section);
  #frame = find("rect", SVGRectElement, this.#card);
  #size = find("[name=card]", HTMLInputElement, this.#section);
  #outcome = find("[data-outcome]", HTMLElement, this.#section);
  #outcomeTitle = find("h2", HTMLElement, this.#outcome);
  #failures = find("[data-failures]", HTMLElement, this.#section);
  #status = find("[data-offline]", HTMLElement, this.#section);
  #continueAnyway = find("[data-do=continue-anyway]", HTMLElement, this.#section);
  /** @type {Record<string, string>} the letters shown, by background */
  #letters = {};
  /** @type {Record<string, Quarter>} where each square is, by background */
  #quarters = {};
  #kept;
  #hasSized = false;
  /** @type {number | null} */
  #pxPerMm = null;
  #resolve = () => {};
  /** @type {(error: unknown) => void} */
  #reject = () => {};

  /**
   * @param {DisplayRules} rules
   * @param {string} reader
   */
  constructor(rules, reader) {
    this.#rules = rules;
    this.#kept = new KeptCheck(reader, rules.stands_for_s);
    for (const form of this.#steps) {
      form.addEventListener("submit", (event) => this.#submitted(event));
      form.querySelector("[data-back]")?.addEventListener("click", () => this.#open(this.#index - 1));
    }
    this.#size.addEventListener("input", () => {
      this.#hasSized = true;
      this.#resizeCard();
    });
    this.#on("full-screen", () => void document.documentElement.requestFullscreen?.().catch(() => {}));
    this.#on("no-card", () => this.#finish(null));
    this.#on("check-again", () => this.#begin());
    this.#on("continue-anyway", () => this.#resolve());
    addEventListener("resize", () => this.#draw());
  }

  /** @returns {Promise<void>} fulfilled once the display has passed or the reader continues anyway */
  async passed() {
    // One check a day on the same screen: its results count for this session as well, if the server accepts them.
    const kept = this.#kept.results(screenFacts());
    if (kept && (await this.#send(kept)).passed) return;
    this.#begin();
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The index of the step on screen; -1: the outcome. */
  get #index() {
    return this.#steps.findIndex((form) => !form.hidden);
  }

  /**
   * @param {string} name of a button
   * @param {() => void} action
   */
  #on(name, action) {
    find(`[data-do=${name}]`, HTMLElement, this.#section).addEventListener("click", action);
  }

  /** Start from the first step, with new letters. */
  #begin() {
    const { grounds, contrasts, squares } = this.#rules;
    for (const name of Object.keys(squares)) this.#quarters[name] = randomQuarter();
    for (const ground of Object.keys(grounds)) this.#letters[ground] = randomLetters(contrasts.length);
    for (const form of this.#steps) form.reset();
    this.#hasSized = false;
    this.#resizeCard();
    this.#open(0);
  }

  /** @param {number | null} pxPerMm null: not measured */
  #finish(pxPerMm) {
    this.#judge(pxPerMm).catch(this.#reject);
  }

  /** @param {number} index of a step; -1: the outcome */
  #open(index) {
    this.#steps.forEach((form, i) => (form.hidden = i !== index));
    this.#outcome.hidden = index >= 0;
    if (index < 0) return;
    this.#draw();
    const [input] = findAll("input:checked, input[type=text]", HTMLInputElement, this.#steps[index]);
    (input ?? find("input", HTMLInputElement, this.#steps[index])).focus();
  }

  #draw() {
    const form = this.#steps[this.#index];
    if (!form) return;
    const { grounds, contrasts, squares } = this.#rules;
    for (const canvas of findAll("canvas", HTMLCanvasElement, form)) {
      const { ground, square } = canvas.dataset;
      if (ground) drawLetters(canvas, this.#letters[ground], grounds[ground], contrasts);
      else if (square) drawSquare(canvas, squares[square], this.#quarters[square]);
    }
  }

  #resizeCard() {
    const [width, height] = this.#rules.card_mm;
    this.#size.setCustomValidity(this.#hasSized ? "" : data(this.#size, "unmeasured"));
    const scale = Number(this.#size.value) / width;
    resize(this.#frame, width * scale, height * scale);
    resize(this.#card, width * scale + 2, height * scale + 2); // room for the line
    this.#pxPerMm = Math.round(scale * 1000) / 1000;
  }

  /** @param {SubmitEvent} event */
  #submitted(event) {
    event.preventDefault();
    if (this.#index + 1 < this.#steps.length) this.#open(this.#index + 1);
    else this.#finish(this.#pxPerMm);
  }

  /** @param {number | null} pxPerMm */
  async #judge(pxPerMm) {
    const results = this.#results(pxPerMm);
    const { passed, failures } = await this.#send(results);
    if (passed) this.#kept.keep(results);
    if (passed) return this.#resolve();
    this.#showFailures(failures);
  }

  /**
   * @param {object} results
   * @returns {Promise<{passed: boolean, failures: string[]}>}
   */
  async #send(results) {
    const showOffline = () => (this.#status.textContent = data(this.#status, "offline"));
    const judged = await retry(() => post(this.#rules.url, { results }), showOffline);
    this.#status.textContent = "";
    return judged;
  }

  /** @param {string[]} failures */
  #showFailures(failures) {
    const items = failures.map((textContent) => Object.assign(document.createElement("li"), { textContent }));
    this.#failures.replaceChildren(...items);
    this.#continueAnyway.hidden = this.#rules.required;
    this.#open(-1);
    this.#outcomeTitle.focus();
  }

  /** @param {number | null} pxPerMm */
  #results(pxPerMm) {
    /** @param {string} name */
    const value = (name) => find(`[name=${name}]:is([type=text], :checked)`, HTMLInputElement, this.#section).value;
    const letters = Object.entries(this.#letters).map(([ground, shown]) => ({
      ground,
      shown,
      typed: value(`letters-${ground}`),
    }));
    const isFound = (/** @type {string} */ name) => value(`square-${name}`) === this.#quarters[name];
    const squares = { dark: isFound("dark"), bright: isFound("bright") };
    return { letters, squares, card_px_per_mm: pxPerMm, light: value("light"), screen: screenFacts() };
  }
}

/**
 * @param {SVGElement} element
 * @param {number} width
 * @param {number} height
 */
function resize(element, width, height) {
  element.setAttribute("width", String(width));
  element.setAttribute("height", String(height));
}

function screenFacts() {
  return {
    ...screenNow(),
    viewport: [innerWidth, innerHeight],
    full_screen: Boolean(document.fullscreenElement) || (innerWidth === screen.width && innerHeight === screen.height),
  };
}
