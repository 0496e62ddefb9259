// The questions after a verdict, one after the other, in place of the verdict buttons.

import { boundsText, controlOf } from "../controls/answer_controls.js";
import { closest, data, find } from "../dom.js";

/** @import { AnswerControl } from "../controls/answer_controls.js" */
/** @import { Answer, Question } from "../network/api.js" */
/** @typedef {{isBack: boolean, value: Answer | null, at: number}} Response value null: not answered */

/**
 * The question on screen.
 * @typedef {object} Current
 * @property {Question} question
 * @property {AnswerControl} control
 * @property {boolean} isFirst
 * @property {number} from presses before this time are ignored
 * @property {(response: Response) => void} resolve
 */

const WAIT_MS = 300; // a press within this time repeats the one before

/**
 * Return the questions that follow this verdict.
 * @param {string} verdict
 * @param {Question[]} [questions] of the step
 */
export function questionsAfter(verdict, questions = []) {
  return questions.filter(({ after }) => !after?.length || after.includes(verdict));
}

export class Questions {
  #bar = find("#asking", HTMLElement);
  #text = find("#asked", HTMLElement);
  #choices = find("#choices", HTMLElement);
  #hint = find("#asked-hint", HTMLElement);
  #skip = find("#answer-none", HTMLButtonElement);
  #skipLabel = find("[data-label]", HTMLElement, this.#skip);
  #back = find("#answer-back", HTMLButtonElement);
  #centre = find("#mark-centre", HTMLButtonElement);
  #texts = find("#words", HTMLElement);
  #number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 20 });
  #marks;
  #isBlocked;
  /** @type {Current | null} */
  #current = null;

  /**
   * @param {import("../forms/form.js").Marking} marks
   * @param {() => boolean} isBlocked whether presses are ignored now
   */
  constructor(marks, isBlocked) {
    this.#marks = marks;
    this.#isBlocked = isBlocked;
    marks.addEventListener("change", () => this.#showCount());
    this.#bar.addEventListener("click", (event) => this.#clicked(event));
    addEventListener("keydown", (event) => this.#pressed(event));
  }

  /**
   * Ask all questions. Returns the answers by question, and when the last was given.
   * @param {Question[]} questions
   * @param {number} at when the verdict was given
   * @returns {Promise<{answers: Record<string, Answer>, at: number}>}
   */
  async ask(questions, at) {
    /** @type {Record<string, Answer>} */
    const answers = {};
    for (let i = 0; i < questions.length; ) {
      const { name } = questions[i];
      const response = await this.#askOne(questions[i], { at, isFirst: i === 0, before: answers[name] });
      at = response.at;
      if (response.isBack) i--;
      else {
        delete answers[name];
        if (response.value !== null) answers[name] = response.value;
        i++;
      }
    }
    this.stop();
    return { answers, at };
  }

  /** Remove the question from the screen. */
  stop() {
    if (this.#current?.question.kind === "mark") this.#marks.stop();
    this.#current = null;
    this.#text.textContent = "";
    this.#bar.hidden = true;
  }

  /**
   * @param {Question} question
   * @param {{at: number, isFirst: boolean, before?: Answer}} state
   * @returns {Promise<Response>}
   */
  #askOne(question, { at, isFirst, before }) {
    const isMark = question.kind === "mark";
    this.#bar.hidden = false;
    this.#text.textContent = question.text;
    const control = controlOf(question, before, "asked asked-hint");
    this.#choices.replaceChildren(...control.elements);
    this.#back.hidden = isFirst;
    const isEntered = isMark || !control.isImmediate;
    this.#skip.hidden = question.required && !isEntered;
    this.#skipLabel.textContent = data(this.#texts, isEntered ? "answerMarked" : "answerSkip");
    this.#hint.textContent = boundsText(question, this.#number);
    this.#centre.hidden = !isMark;
    if (isMark) this.#marks.start(question.most);
    // A field, or the bar: that is read aloud too, and is not a button, which Enter or Space would press.
    (control.field ?? this.#bar).focus();
    return new Promise((resolve) => (this.#current = { question, control, isFirst, from: at + WAIT_MS, resolve }));
  }

  #showCount() {
    if (!this.#marks.isActive) return;
    const { count, maximum } = this.#marks;
    this.#hint.textContent = data(this.#texts, "marks")
      .replace("{count}", String(count))
      .replace("{most}", String(maximum));
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const button = closest(event, "button");
    if (!(button instanceof HTMLButtonElement) || event.detail > 1) return;
    if (button === this.#back) this.#goBack(event);
    else if (button === this.#skip) this.#finish(event);
    else if (button === this.#centre) this.#marks.addAtCentre();
    else this.#choose(button, event);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (!this.#current || event.repeat || event.isComposing || closest(event, "dialog, textarea, select")) return;
    if (closest(event, "input")) {
      if (event.key === "Enter") this.#finish(event);
      return;
    }
    const button = this.#current.control.buttonOf(event);
    if (button) this.#choose(button, event);
    else if (event.key === "Backspace" && !this.#current.isFirst) this.#goBack(event);
    else if (event.key === "Enter" && !closest(event, "button, a")) this.#finish(event);
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {Event} event
   */
  #choose(button, event) {
    if (!this.#current || !this.#accepts(event)) return;
    const value = this.#current.control.take(button);
    if (value !== null) this.#respond(event, { value });
    else event.preventDefault();
  }

  /** @param {Event} event */
  #goBack(event) {
    if (this.#accepts(event)) this.#respond(event, { isBack: true });
  }

  /**
   * Leave the question: what is entered is the answer, or all marks are set, or it is skipped.
   * @param {Event} event
   */
  #finish(event) {
    if (!this.#current || !this.#accepts(event)) return;
    const { question, control } = this.#current;
    const hasMarks = question.kind === "mark" && this.#marks.count > 0;
    const value = control.value();
    const isImpossible = value === undefined;
    control.field?.setAttribute("aria-invalid", String(isImpossible));
    if (!isImpossible && (hasMarks || value !== null || !question.required))
      return this.#respond(event, { value, usesMarks: hasMarks });
    if (control.isImmediate) return;
    event.preventDefault();
    this.#showWhatIsNeeded(question, isImpossible);
  }

  /**
   * @param {Question} question
   * @param {boolean} isImpossible whether something was entered
   */
  #showWhatIsNeeded(question, isImpossible) {
    const text = data(this.#texts, isImpossible ? "answerImpossible" : "answerNeeded");
    this.#hint.textContent = [text, boundsText(question, this.#number)].filter(Boolean).join(" ");
  }

  /** @param {Event} event */
  #accepts(event) {
    return this.#current !== null && !this.#isBlocked() && event.timeStamp >= this.#current.from;
  }

  /**
   * @param {Event} event
   * @param {{isBack?: boolean, value?: Answer | null, usesMarks?: boolean}} response
   */
  #respond(event, { isBack = false, value = null, usesMarks = false }) {
    event.preventDefault();
    const current = this.#current;
    this.#current = null;
    const marks = current?.question.kind === "mark" ? this.#marks.stop() : [];
    current?.resolve({ isBack, value: usesMarks ? marks : value, at: event.timeStamp });
  }
}
