// One reading session. The server owns the position; this page shows it and delivers verdicts.

import { KeyMap } from "../controls/key_map.js";
import { Toolbar } from "../controls/toolbar.js";
import { data, find } from "../dom.js";
import { get, Gone, presentationOf, Refused, retry, SignInRequired, StudyPaused, TakenOver } from "../network/api.js";
import { ImageCache } from "../network/image_cache.js";
import { Outbox } from "../network/outbox.js";
import { Answering } from "./answering.js";
import { Breaks } from "./breaks.js";
import { ClosingQuestions } from "./closing.js";
import { errorText, showEnd } from "./ending.js";
import { Page } from "./page.js";
import { Paradata } from "./paradata.js";
import { Pause } from "./pause.js";
import { ProblemReport } from "./problem_report.js";
import { isReloaded } from "./reloaded.js";
import { isScreenTooSmall } from "./screen_size.js";
import { SessionLock } from "./session_lock.js";
import { StimulusPresenter } from "./stimulus_presenter.js";
import { unlessAborted } from "./waiting.js";

/** @import { Display, Form } from "../forms/form.js" */
/** @import { AskStep, Presentation, PresentationStep, Step } from "../network/api.js" */
/** @import { OwnKeys } from "../network/own_keys.js" */
/** @import { Pending } from "../network/outbox.js" */

/**
 * The rules of the session that the page applies.
 * @typedef {object} Rules
 * @property {number} frame_ms length of the grey frame between two images; 0: none
 * @property {number} grace_ms in which an answer can be taken back; 0: it is final at once
 * @property {number} break_minutes of reading until a break is offered; 0: none by time
 * @property {number} idle_s the reader is idle after this time without input
 * @property {boolean} pause_when_hidden
 * @property {number} least_screen CSS pixels of a screen's shorter side; on a smaller one nobody reads
 * @property {{due: boolean} | null} display
 */

/** @template Image */
export class Session {
  #root;
  #rules;
  #lock;
  #images;
  #outbox;
  #paradata;
  #page = new Page();
  #pause;
  #report;
  #presenter;
  #answering;
  #closing;
  /** Aborted when another page takes over. */
  #reading = new AbortController();
  #breaks;
  /** How long the reader was on the pages between the last image and this one. */
  #restedMs = 0;

  /**
   * @param {HTMLElement} root has the session's addresses as data
   * @param {Rules} rules
   * @param {Form<Image>} form of the images
   * @param {Display} display
   * @param {OwnKeys} ownKeys
   */
  constructor(root, rules, form, display, ownKeys) {
    this.#root = root;
    this.#rules = rules;
    this.#breaks = new Breaks(rules.break_minutes);
    const name = `reading.${data(root, "reader")}.${data(root, "session")}`;
    this.#lock = new SessionLock({ open: data(root, "open"), step: data(root, "step") }, name);
    this.#images = /** @type {ImageCache<Image>} */ (new ImageCache(data(root, "worker")));
    this.#outbox = new Outbox(data(root, "verdicts"), name);
    this.#paradata = new Paradata(isReloaded(), 1000 * rules.idle_s);
    const opened = form.open(root, display);
    const { stage } = opened;
    const keyMap = new KeyMap(form.keys, ownKeys);
    this.#pause = new Pause({
      stage,
      paradata: this.#paradata,
      keyMap,
      currentPosition: () => this.#page.pausablePosition,
      whenHidden: rules.pause_when_hidden,
    });
    this.#report = new ProblemReport(this.#pause, data(root, "problems"), this.#lock);
    this.#presenter = new StimulusPresenter({
      stage,
      images: this.#images,
      paradata: this.#paradata,
      pause: this.#pause,
      greyMs: rules.frame_ms,
      onNoResponse: this.#showOffline,
    });
    this.#answering = new Answering({
      page: this.#page,
      stage,
      paradata: this.#paradata,
      pause: this.#pause,
      outbox: this.#outbox,
      graceMs: rules.grace_ms,
      whileOurs: (promise) => this.#whileOurs(promise),
    });
    this.#closing = new ClosingQuestions(this.#page, data(root, "answers"), name);
    stage.addEventListener("act", (event) => {
      if (event instanceof CustomEvent) this.#paradata.note(event.detail);
    });
    new Toolbar(opened, keyMap, (act) => this.#paradata.note(act));
    this.#lock.addEventListener("lost", () => this.#reading.abort(new TakenOver()));
    find("#take-over", HTMLElement).addEventListener("click", () => this.#run());
  }

  /**
   * Begin: the display check if one is due, the instructions, the images.
   * @param {() => Promise<void>} checkDisplay fulfilled once the reader may begin
   */
  async begin(checkDisplay) {
    try {
      await this.#enter(checkDisplay);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {() => Promise<void>} checkDisplay */
  async #enter(checkDisplay) {
    const state = data(this.#root, "state");
    if (isScreenTooSmall(this.#rules.least_screen)) {
      this.#page.setState("small");
      return this.#page.open("small");
    }
    if (this.#rules.display?.due && state !== "waiting" && state !== "done") {
      this.#page.setState("check");
      this.#page.open("check");
      await checkDisplay();
    }
    if (state === "under_way" || state === "done") return this.#run();
    this.#page.setState(state === "waiting" ? "waiting" : "start");
    this.#page.open("start");
    if (state === "waiting") return;
    const begin = find("#begin", HTMLButtonElement, this.#root);
    begin.addEventListener("click", () => this.#run(), { once: true });
    begin.disabled = false; // before this script ran, a press would have been lost
    begin.focus(); // its description is the page's heading
  }

  /** Read from the current position to the end of the session. */
  async #run() {
    this.#reading = new AbortController();
    this.#breaks.begin(); // who has just come needs none
    try {
      let step = await this.#firstStep();
      this.#reading.signal.throwIfAborted();
      while (step.kind !== "wait" && step.kind !== "done") {
        step = await (step.kind === "ask" ? this.#close(step) : this.#read(step));
        this.#reading.signal.throwIfAborted();
      }
      this.#lock.release();
      this.#presenter.clear();
      showEnd(this.#page, step, this.#root.dataset);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Ask what is asked at the end of the session. Returns the step after it.
   * @param {AskStep} step
   */
  #close(step) {
    this.#presenter.clear();
    const { signal } = this.#reading;
    return this.#closing.ask(step, { page: this.#lock.page, signal, onNoResponse: this.#showOffline });
  }

  /** Claim the session. Returns its step, or the one after a verdict that was not acknowledged before. */
  async #firstStep() {
    this.#page.open("read");
    this.#page.setState("loading");
    const step = await this.#lock.take(this.#showOffline);
    const pending = await this.#outbox.pending();
    return pending ? this.#deliver(pending) : step;
  }

  /**
   * Show one presentation, take the verdict, deliver it. Returns the step after it.
   * @param {PresentationStep} step
   * @returns {Promise<Step>}
   */
  async #read(step) {
    const presentation = presentationOf(step.stimulus, step.images);
    const isPractice = step.kind === "practise";
    const acknowledged = performance.now();
    if (this.#breaks.isDue) await this.#interlude("break", step);
    this.#page.open("read");
    // How long it was visible before the verdict on the one before it was acknowledged.
    const aheadMs = this.#presenter.isShown(presentation) ? Math.round(acknowledged - this.#presenter.onset) : 0;
    if (!this.#presenter.isShown(presentation)) this.#page.setState("loading");
    try {
      await this.#whileOurs(this.#presenter.show(presentation));
    } catch (error) {
      if (!(error instanceof Gone)) throw error;
      return this.#stepAfterGone(presentation);
    }
    this.#presenter.showLine(presentation);
    this.#page.showPractice(isPractice);
    this.#report.about(isPractice ? null : presentation.code);
    if (step.position) this.#page.showPosition(step.position, step.total);
    const next = step.next && presentationOf(step.next);
    this.#presenter.prepare(presentation, next, step.after_next && presentationOf(step.after_next));
    const pending = await this.#answering.take(step, {
      presentation,
      onset: this.#presenter.onset,
      facts: () => ({ ahead_ms: aheadMs, rested_ms: Math.round(this.#restedMs), ...this.#presenter.facts }),
    });
    this.#restedMs = 0;
    this.#report.about(null); // the next image is on screen before this verdict is acknowledged
    const delivery = this.#deliver(pending, { lasting: !isPractice });
    // The next image is shown at once; its verdict is taken only after this one is acknowledged.
    this.#breaks.decide(step.next?.break ?? false, this.#paradata.pausedUntil(performance.now()));
    const stopsBetween = isPractice || this.#breaks.isDue;
    if (next && !stopsBetween) this.#showAhead(next, step);
    const following = await delivery;
    if (stopsBetween) this.#presenter.clear();
    if (isPractice && following.kind === "read") await this.#interlude("begins", following);
    return following;
  }

  /**
   * @param {"break" | "begins"} name
   * @param {PresentationStep} step
   */
  async #interlude(name, { position = 1, total }) {
    const since = performance.now();
    await this.#whileOurs(this.#page.interlude(name, { done: position - 1, left: total - position + 1, total }));
    this.#restedMs += performance.now() - since;
    this.#breaks.begin();
  }

  /**
   * Show the next presentation before the verdict on the current one is acknowledged.
   * @param {Presentation} next
   * @param {PresentationStep} step the current one
   */
  #showAhead(next, { position = 0, total }) {
    const showPosition = () => {
      if (this.#presenter.isShown(next)) this.#page.showPosition(position + 1, total);
    };
    this.#presenter.show(next).then(showPosition, () => {}); // an error is handled when it is its turn
  }

  /**
   * Send a verdict until it is acknowledged. If the image was answered elsewhere, the server's step counts.
   * @param {Pending} pending
   * @param {{lasting?: boolean}} [options] whether the verdict is stored over a reload
   * @returns {Promise<Step>} the next
   */
  async #deliver(pending, { lasting = true } = {}) {
    this.#page.setState("saving");
    const { signal } = this.#reading;
    const options = { page: this.#lock.page, onNoResponse: this.#showOffline, signal, lasting };
    try {
      return (await this.#outbox.deliver(pending, options)).step;
    } catch (error) {
      if (error instanceof TakenOver && !signal.aborted && lasting) error.verdictRefused = true;
      if (!(error instanceof Refused) || error.status !== 409 || !error.step) throw error;
      if (!(error instanceof StudyPaused)) this.#page.showNotice(this.#page.text("elsewhere"));
      return error.step;
    }
  }

  /**
   * Return the step of the server. The address of an image is valid only while it is current or next: another window
   * is at a later position.
   * @param {Presentation} presentation
   * @returns {Promise<Step>}
   */
  async #stepAfterGone(presentation) {
    const url = `${data(this.#root, "step")}?page=${this.#lock.page}`;
    /** @type {Step} */
    const step = await retry(() => get(url), this.#showOffline);
    const current = "stimulus" in step ? presentationOf(step.stimulus, step.images) : null;
    if (JSON.stringify(current) === JSON.stringify(presentation))
      throw new Refused(410, { detail: this.#page.text("gone") });
    // A wait is not another position: the session or its study was paused meanwhile.
    if (step.kind !== "wait") this.#page.showNotice(this.#page.text("elsewhere"));
    return step;
  }

  /**
   * Wait for a promise, unless another page takes the session over first.
   * @template T
   * @param {Promise<T>} promise
   */
  #whileOurs(promise) {
    return unlessAborted(promise, this.#reading.signal);
  }

  /** @param {unknown} error */
  #fail(error) {
    if (error instanceof TakenOver) return this.#giveUp(error);
    this.#lock.release();
    this.#presenter.clear();
    if (error instanceof SignInRequired) return this.#page.showSignedOut();
    this.#page.end("error", this.#page.text("errorTitle"), errorText(this.#page, error));
  }

  /**
   * Another page reads the session now: remove everything about the image from this one.
   * @param {TakenOver} error
   */
  async #giveUp({ verdictRefused }) {
    this.#lock.lose();
    if (this.#pause.isOn) this.#pause.end();
    const isGiven = ["grace", "saving", "offline"].includes(this.#page.state ?? "");
    this.#answering.stop();
    this.#presenter.clear();
    this.#images.keepOnly();
    const isPending = isGiven && (await this.#outbox.pending());
    this.#page.showTakenOver(verdictRefused || isPending ? this.#page.text(textOfLoss(verdictRefused)) : "");
  }

  #showOffline = () => this.#page.setState("offline");
}

/** @param {boolean} verdictRefused otherwise it is stored and waits */
const textOfLoss = (verdictRefused) => (verdictRefused ? "takenRefused" : "takenPending");
