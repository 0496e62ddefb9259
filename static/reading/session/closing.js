// The questions at the end of a session, all on one page. The answers are stored in this browser while they are
// entered, and sent until the server has them.

import { answersIn, fieldsOf, missingIn } from "../controls/question_form.js";
import { data, find } from "../dom.js";
import { post, Refused, retry, StudyPaused } from "../network/api.js";
import { StoredValue } from "../network/indexed_db.js";
import { newKey } from "../network/outbox.js";

/** @import { AskStep, Step } from "../network/api.js" */
/** @import { GivenAnswers } from "../controls/question_form.js" */
/** @import { Page } from "./page.js" */

/**
 * What this browser has of the answers. `isSent`: the reader sent them, and the server has not acknowledged them.
 * @typedef {object} Stored
 * @property {GivenAnswers} answers
 * @property {string} key the same in every attempt to send them
 * @property {number} elapsed_ms
 * @property {boolean} isSent
 */

export class ClosingQuestions {
  #page;
  #url;
  #stored;
  #form = find("#closing", HTMLFormElement);
  #fields = find("#closing-fields", HTMLElement);
  #error = find("#closing-error", HTMLElement);
  #send = find("#closing-send", HTMLButtonElement);
  #words;

  /**
   * @param {Page} page
   * @param {string} url to send answers to
   * @param {string} name of the storage: one per reader and session
   */
  constructor(page, url, name) {
    this.#page = page;
    this.#url = url;
    this.#stored = /** @type {StoredValue<Stored>} */ (new StoredValue(`${name}.closing`));
    this.#words = {
      optional: data(this.#form, "optional"),
      format: new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 20 }),
    };
  }

  /**
   * Ask the questions of a step and deliver the answers. Returns the step after it.
   * @param {AskStep} step
   * @param {{page: string, signal: AbortSignal, onNoResponse: () => void}} options
   * @returns {Promise<Step>}
   */
  async ask({ questions }, options) {
    const stored = await this.#stored.get();
    const since = performance.now() - (stored?.elapsed_ms ?? 0);
    const key = stored?.key ?? newKey();
    const fields = questions.map((each, i) => fieldsOf(each, i, stored?.answers[each.name], this.#words));
    this.#fields.replaceChildren(...fields);
    /** @param {boolean} isSent */
    const current = (isSent) => ({
      answers: answersIn(this.#form, questions),
      key,
      elapsed_ms: Math.round(performance.now() - since),
      isSent,
    });
    this.#form.oninput = () => this.#stored.set(current(false));
    let pending = stored?.isSent ? stored : null;
    for (;;) {
      if (!pending) {
        this.#page.setState("closing");
        this.#page.open("closing");
        await this.#submitted(questions, options.signal);
        pending = current(true);
        this.#stored.set(pending);
      }
      this.#page.setState("saving");
      this.#send.disabled = true;
      try {
        const body = { answers: pending.answers, key: pending.key, elapsed_ms: pending.elapsed_ms, page: options.page };
        const { step } = await retry(() => post(this.#url, body), options.onNoResponse, options.signal);
        this.#stored.remove();
        return step;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (error.step) {
          // After a pause of the study they are sent again; otherwise they were answered in another window.
          if (!(error instanceof StudyPaused)) this.#stored.remove();
          return error.step;
        }
        if (error.status !== 400) throw error;
        this.#error.textContent = error.message; // the answers can be corrected
        pending = null;
      } finally {
        this.#send.disabled = false;
      }
    }
  }

  /**
   * Wait until the form is sent with everything that must be answered.
   * @param {AskStep["questions"]} questions
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  #submitted(questions, signal) {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.#form.onsubmit = (event) => {
        event.preventDefault();
        const missing = missingIn(questions, answersIn(this.#form, questions));
        this.#error.textContent = missing < 0 ? "" : `${data(this.#form, "missing")} ${questions[missing].text}`;
        if (missing < 0) return resolve();
        find(`[name="closing-${missing}"]`, HTMLElement, this.#form).focus();
      };
    });
  }
}
