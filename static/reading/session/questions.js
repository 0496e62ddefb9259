// What is asked after a verdict, one question after the other, in the place of the verdict buttons.

import { verdictOf } from "../controls/key_events.js";

const WAIT_MS = 300; // a press so soon after the one before is its echo

/** Those of the step's questions that this verdict calls for. */
export function questionsAfter(verdict, questions = []) {
  return questions.filter(({ after }) => !after?.length || after.includes(verdict));
}

export class Questions {
  #bar = document.querySelector("#asking");
  #text = document.querySelector("#asked");
  #choices = document.querySelector("#choices");
  #hint = document.querySelector("#asked-hint");
  #skip = document.querySelector("#answer-none");
  #back = document.querySelector("#answer-back");
  #centre = document.querySelector("#mark-centre");
  #words = document.querySelector("#words").dataset;
  #marks;
  #isBlocked;
  #asked = null;

  /**
   * @param {object} marks of the stage
   * @param {() => boolean} isBlocked whether presses count for nothing just now
   */
  constructor(marks, isBlocked) {
    this.#marks = marks;
    this.#isBlocked = isBlocked;
    marks.addEventListener("change", () => this.#countMarks());
    this.#bar.addEventListener("click", (event) => this.#clicked(event));
    addEventListener("keydown", (event) => this.#pressed(event));
  }

  /**
   * @param {object[]} due @param {number} at when the verdict was given
   * @returns {Promise<{answers: object, at: number}>} the answers by name, and when the last was given
   */
  async ask(due, at) {
    const answers = {};
    for (let i = 0; i < due.length; ) {
      const given = await this.#one(due[i], { at, first: i === 0, before: answers[due[i].name] });
      at = given.at;
      if (given.back) i--;
      else {
        delete answers[due[i].name];
        if (given.value !== null) answers[due[i].name] = given.value;
        i++;
      }
    }
    this.stop();
    return { answers, at };
  }

  /** No question stands any more. */
  stop() {
    if (this.#asked?.question.kind === "mark") this.#marks.stop();
    this.#asked = null;
    this.#text.textContent = "";
    this.#bar.hidden = true;
  }

  #one(question, { at, first, before }) {
    this.#bar.hidden = false;
    this.#text.textContent = question.text;
    this.#choices.replaceChildren(...(question.choices ?? []).map((choice, i) => buttonOf(choice, i, before)));
    this.#back.hidden = first;
    this.#skip.hidden = question.required && question.kind !== "mark";
    this.#skip.querySelector("[data-label]").textContent =
      question.kind === "mark" ? this.#words.answerMarked : this.#words.answerSkip;
    this.#hint.textContent = "";
    this.#centre.hidden = question.kind !== "mark";
    if (question.kind === "mark") this.#marks.start(question.most);
    this.#bar.focus(); // read out, and no button that Enter or Space would press
    return new Promise((resolve) => (this.#asked = { question, first, from: at + WAIT_MS, resolve }));
  }

  #countMarks() {
    if (!this.#marks.active) return;
    const { count, most } = this.#marks;
    this.#hint.textContent = this.#words.marks.replace("{count}", count).replace("{most}", most);
  }

  #clicked(event) {
    const button = event.target.closest("button");
    if (!button || event.detail > 1) return;
    if (button === this.#back) this.#give({ back: true }, event);
    else if (button === this.#skip) this.#done(event);
    else if (button === this.#centre) this.#marks.addAtCentre();
    else this.#give({ value: button.value }, event);
  }

  #pressed(event) {
    if (!this.#asked || event.repeat || event.target.closest?.("dialog, input, textarea, select")) return;
    const place = verdictOf(event, this.#choices.children.length);
    const onControl = event.target.closest?.("button, a");
    if (place >= 0) this.#give({ value: this.#choices.children[place].value }, event);
    else if (event.key === "Backspace") this.#asked.first || this.#give({ back: true }, event);
    else if (event.key === "Enter" && !onControl) this.#done(event);
  }

  /** Without a choice: skipped, or all marks set. */
  #done(event) {
    const { question } = this.#asked;
    if (question.kind !== "mark") return question.required || this.#give({ value: null }, event);
    if (question.required && this.#marks.count === 0) return;
    this.#give({ marks: true }, event);
  }

  #give(given, event) {
    if (!this.#asked || this.#isBlocked() || event.timeStamp < this.#asked.from) return;
    event.preventDefault();
    const { question, resolve } = this.#asked;
    this.#asked = null;
    const set = question.kind === "mark" ? this.#marks.stop() : null;
    const value = given.marks ? (set.length ? set : null) : (given.value ?? null);
    resolve({ ...given, value, at: event.timeStamp });
  }
}

function buttonOf({ value, text }, i, before) {
  const button = document.createElement("button");
  const key = document.createElement("kbd");
  button.type = "button";
  button.value = value;
  button.setAttribute("aria-keyshortcuts", String(i + 1));
  if (value === before) button.setAttribute("aria-current", "true");
  key.textContent = i + 1;
  button.append(key, text);
  return button;
}
