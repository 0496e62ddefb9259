// The reader's answer to one presentation: a verdict, what is asked after it, and a moment to take both back.

import { newKey } from "../network/outbox.js";
import { Grace } from "./grace.js";
import { Questions, questionsAfter } from "./questions.js";
import { resumed } from "./reloaded.js";
import { VerdictBar } from "./verdict_bar.js";
import { until } from "./waiting.js";

/** @import { Presentation, PresentationStep, Reading } from "../network/api.js" */
/** @import { Outbox, Pending } from "../network/outbox.js" */
/** @import { Page } from "./page.js" */
/** @import { Paradata } from "./paradata.js" */
/** @import { Pause } from "./pause.js" */
/** @import { GivenVerdict } from "./verdict_bar.js" */

/**
 * What was on screen, and how it got there.
 * @typedef {object} Shown
 * @property {Presentation} presentation
 * @property {number} onset by the page's clock
 * @property {() => object} facts what else the paradata say at the moment of the verdict
 */

/** @typedef {{verdict: string, elapsed_ms: number}} TakenBack a verdict that the reader took back */

// Ignore presses within this time: they belong to the previous image (double press).
const SETTLE_MS = 300;

export class Answering {
  #page;
  #stage;
  #paradata;
  #outbox;
  #whileOurs;
  #verdicts;
  #questions;
  #grace;

  /**
   * @param {object} parts
   * @param {Page} parts.page
   * @param {{marks: import("../forms/form.js").Marking, settings: object}} parts.stage
   * @param {Paradata} parts.paradata
   * @param {Pause} parts.pause
   * @param {Outbox} parts.outbox
   * @param {number} parts.graceMs
   * @param {<T>(promise: Promise<T>) => Promise<T>} parts.whileOurs rejects once another page takes over
   */
  constructor({ page, stage, paradata, pause, outbox, graceMs, whileOurs }) {
    this.#page = page;
    this.#stage = stage;
    this.#paradata = paradata;
    this.#outbox = outbox;
    this.#whileOurs = whileOurs;
    this.#verdicts = new VerdictBar(page, {
      isBlocked: () => pause.isOn,
      onUntimely: () => paradata.noteUntimely(),
    });
    this.#questions = new Questions(stage.marks, () => pause.isOn);
    this.#grace = new Grace(page, pause, graceMs);
  }

  /**
   * Take the answer. A verdict from before this page was loaded stands: only the rest is asked.
   * @param {PresentationStep} step
   * @param {Shown} shown
   * @returns {Promise<Pending>} what is to be sent now; it is final
   */
  async take(step, shown) {
    const draft = step.questions?.length ? await this.#outbox.draftOn(shown.presentation.code) : null;
    let given = draft ? resumed(draft) : null;
    let from = shown.onset + SETTLE_MS;
    /** @type {TakenBack[]} */
    const before = [];
    for (;;) {
      const { reading, at } = given ?? (await this.#takeVerdict(step, shown, { before, from }));
      const answered = await this.#answered(step, reading, at);
      const final = await this.#final(answered, step.kind !== "practise");
      this.#verdicts.showGiven(null);
      if (final) return final;
      before.push({ verdict: reading.verdict, elapsed_ms: reading.elapsed_ms });
      given = null;
      from = performance.now();
    }
  }

  /** Take nothing more until the next call of take(). */
  stop() {
    this.#questions.stop();
    this.#verdicts.stop();
    this.#grace.stop();
  }

  /**
   * @param {PresentationStep} step
   * @param {Shown} shown
   * @param {{before: TakenBack[], from: number}} state
   */
  async #takeVerdict(step, shown, { before, from }) {
    const pressed = this.#verdicts.verdict(step.verdicts, from);
    await this.#whileOurs(until(from));
    this.#page.setState("ready");
    const given = await this.#whileOurs(pressed);
    return { reading: this.#newReading(shown, given, before), at: given.at };
  }

  /**
   * Ask the questions that follow the verdict. Their time does not count as reading time.
   * @param {PresentationStep} step
   * @param {Reading} reading
   * @param {number} at when the verdict was given
   * @returns {Promise<Reading>}
   */
  async #answered(step, reading, at) {
    const questions = questionsAfter(reading.verdict, step.questions);
    if (!questions.length) return reading;
    if (step.kind !== "practise") this.#outbox.keepDraft(reading);
    const paused = this.#paradata.pausedUntil(at);
    this.#page.setState("asking");
    const { answers, at: last } = await this.#whileOurs(this.#questions.ask(questions, at));
    const took = last - at - (this.#paradata.pausedUntil(last) - paused);
    return { ...reading, answers, paradata: { ...reading.paradata, questions_ms: Math.round(took) } };
  }

  /**
   * Wait until the answer is final. It is stored from the first moment: it is sent even if this page is gone by then.
   * @param {Reading} reading
   * @param {boolean} isLasting
   * @returns {Promise<Pending | null>} null: it was taken back
   */
  async #final(reading, isLasting) {
    if (!this.#grace.isGiven) return { reading, since: Date.now() };
    const from = performance.now();
    if (isLasting) this.#outbox.keep({ reading, since: Date.now() });
    this.#verdicts.showGiven(reading.verdict);
    if (await this.#whileOurs(this.#grace.isTakenBack())) {
      if (isLasting) await this.#outbox.discard();
      return null;
    }
    const paradata = { ...reading.paradata, grace_ms: Math.round(performance.now() - from) };
    return { reading: { ...reading, paradata }, since: Date.now() };
  }

  /**
   * @param {Shown} shown
   * @param {GivenVerdict} given
   * @param {TakenBack[]} before
   * @returns {Reading}
   */
  #newReading({ presentation, facts }, { verdict, at, by }, before) {
    return {
      stimulus: presentation.code,
      verdict,
      elapsed_ms: this.#paradata.elapsedUntil(at),
      key: newKey(),
      paradata: {
        ...this.#paradata.until(at),
        questions_ms: 0,
        by,
        settings: this.#stage.settings,
        ...facts(),
        ...(before.length ? { taken_back: [...before] } : {}),
      },
    };
  }
}
