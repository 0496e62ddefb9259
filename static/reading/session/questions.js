// The questions after a verdict, one after the other, in place of the verdict buttons.

import { choiceOf } from "../controls/key_events.js";
import { closest, data, find } from "../dom.js";

/** @import { Answer, Question } from "../network/api.js" */
/** @typedef {{isBack: boolean, value: Answer | null, at: number}} Response value null: not answered */

/**
 * The question on screen.
 * @typedef {object} Current
 * @property {Question} question
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
    this.#choices.replaceChildren(...(question.choices ?? []).map((choice, i) => choiceButton(choice, i, before)));
    this.#back.hidden = isFirst;
    this.#skip.hidden = question.required && !isMark;
    this.#skipLabel.textContent = data(this.#texts, isMark ? "answerMarked" : "answerSkip");
    this.#hint.textContent = "";
    this.#centre.hidden = !isMark;
    if (isMark) this.#marks.start(question.most);
    this.#bar.focus(); // read aloud by screen readers; and not a button, which Enter or Space would press
    return new Promise((resolve) => (this.#current = { question, isFirst, from: at + WAIT_MS, resolve }));
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
    if (!this.#current || event.repeat || closest(event, "dialog, input, textarea, select")) return;
    const buttons = [...this.#choices.children];
    const button = buttons[choiceOf(event, buttons.length)];
    if (button instanceof HTMLButtonElement) this.#choose(button, event);
    else if (event.key === "Backspace" && !this.#current.isFirst) this.#goBack(event);
    else if (event.key === "Enter" && !closest(event, "button, a")) this.#finish(event);
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {Event} event
   */
  #choose(button, event) {
    if (this.#accepts(event)) this.#respond(event, { value: button.value });
  }

  /** @param {Event} event */
  #goBack(event) {
    if (this.#accepts(event)) this.#respond(event, { isBack: true });
  }

  /**
   * Leave the question without a choice: it is skipped, or all marks are set.
   * @param {Event} event
   */
  #finish(event) {
    if (!this.#current || !this.#accepts(event)) return;
    const { question } = this.#current;
    const hasMarks = question.kind === "mark" && this.#marks.count > 0;
    if (hasMarks || !question.required) this.#respond(event, { usesMarks: hasMarks });
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

/**
 * @param {{value: string, text: string}} choice
 * @param {number} i
 * @param {Answer} [before] answer that was given to this question before
 */
function choiceButton({ value, text }, i, before) {
  const button = document.createElement("button");
  const key = document.createElement("kbd");
  button.type = "button";
  button.value = value;
  button.setAttribute("aria-keyshortcuts", String(i + 1));
  if (value === before) button.setAttribute("aria-current", "true");
  key.textContent = String(i + 1);
  button.append(key, text);
  return button;
}
