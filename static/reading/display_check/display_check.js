// The display check before a session: the page asks and collects, the server judges.

import { drawLetters, drawSquare, randomLetters } from "./optotypes.js";
import { persist, tell } from "../network/api.js";

export class DisplayCheck {
  #rules;
  #section = document.querySelector("[data-section=check]");
  #steps = [...this.#section.querySelectorAll("form")];
  #card = this.#section.querySelector("[data-card]");
  #size = this.#section.querySelector("[name=card]");
  #shown = {};
  #pxPerMm = null;
  #done;
  #fail;

  /** @param {object} rules the page's rules of the display */
  constructor(rules) {
    this.#rules = rules;
    for (const form of this.#steps) {
      form.addEventListener("submit", (event) => this.#submitted(event));
      form.querySelector("[data-back]")?.addEventListener("click", () => this.#open(this.#place - 1));
    }
    this.#size.addEventListener("input", () => this.#resizeCard());
    this.#on("full-screen", () => document.documentElement.requestFullscreen?.().catch(() => {}));
    this.#on("no-card", () => this.#finish(null));
    this.#on("check-again", () => this.#begin());
    this.#on("go-on-all-the-same", () => this.#done());
    addEventListener("resize", () => this.#draw());
  }

  /** @returns {Promise<void>} once the display has passed, or the reader goes on all the same */
  passed() {
    this.#begin();
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#fail = reject;
    });
  }

  get #place() {
    return this.#steps.findIndex((form) => !form.hidden);
  }

  #on(name, action) {
    this.#section.querySelector(`[data-do=${name}]`).addEventListener("click", action);
  }

  /** From the first step, with new letters. */
  #begin() {
    const { grounds, contrasts } = this.#rules;
    for (const ground of Object.keys(grounds)) this.#shown[ground] = randomLetters(contrasts.length);
    for (const form of this.#steps) form.reset();
    this.#resizeCard();
    this.#open(0);
  }

  #finish(pxPerMm) {
    this.#judge(pxPerMm).catch(this.#fail);
  }

  #open(place) {
    this.#steps.forEach((form, i) => (form.hidden = i !== place));
    this.#section.querySelector("[data-verdict-of-check]").hidden = place >= 0;
    if (place < 0) return;
    this.#draw();
    const form = this.#steps[place];
    (form.querySelector("input:checked, input[type=text]") ?? form.querySelector("input")).focus();
  }

  #draw() {
    const form = this.#steps[this.#place];
    for (const canvas of form?.querySelectorAll("canvas") ?? []) {
      const { ground, square } = canvas.dataset;
      const { grounds, contrasts, squares } = this.#rules;
      if (ground) drawLetters(canvas, this.#shown[ground], grounds[ground], contrasts);
      else drawSquare(canvas, squares[square]);
    }
  }

  #resizeCard() {
    const [width, height] = this.#rules.card_mm;
    const scale = Number(this.#size.value) / width;
    sized(this.#card.firstElementChild, width * scale, height * scale);
    sized(this.#card, width * scale + 2, height * scale + 2); // room for the line
    this.#pxPerMm = Math.round(scale * 1000) / 1000;
  }

  #submitted(event) {
    event.preventDefault();
    if (this.#place + 1 < this.#steps.length) this.#open(this.#place + 1);
    else this.#finish(this.#pxPerMm);
  }

  async #judge(pxPerMm) {
    const says = this.#section.querySelector("[data-says]");
    const offline = () => (says.textContent = says.dataset.offline);
    const body = { results: this.#results(pxPerMm) };
    const { passed, failures } = await persist(() => tell(this.#rules.url, body), offline);
    says.textContent = "";
    if (passed) return this.#done();
    this.#tellFailures(failures);
  }

  #tellFailures(failures) {
    const list = this.#section.querySelector("[data-failures]");
    const item = (textContent) => Object.assign(document.createElement("li"), { textContent });
    list.replaceChildren(...failures.map(item));
    this.#section.querySelector("[data-do=go-on-all-the-same]").hidden = this.#rules.required;
    this.#open(-1);
    this.#section.querySelector("[data-verdict-of-check] h2").focus();
  }

  #results(pxPerMm) {
    const value = (name) => this.#section.querySelector(`[name=${name}]:is([type=text], :checked)`).value;
    const letters = Object.entries(this.#shown).map(([ground, shown]) => ({
      ground,
      shown,
      typed: value(`letters-${ground}`),
    }));
    const squares = { dark: value("square-dark") === "seen", bright: value("square-bright") === "seen" };
    return { letters, squares, card_px_per_mm: pxPerMm, light: value("light"), screen: screenNow() };
  }
}

function sized(element, width, height) {
  element.setAttribute("width", width);
  element.setAttribute("height", height);
}

function screenNow() {
  return {
    width: screen.width,
    height: screen.height,
    device_pixel_ratio: devicePixelRatio,
    color_depth: screen.colorDepth,
    viewport: [innerWidth, innerHeight],
    full_screen: Boolean(document.fullscreenElement) || (innerWidth === screen.width && innerHeight === screen.height),
  };
}
