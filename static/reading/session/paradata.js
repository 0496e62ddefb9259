// What happened between onset and verdict: how the time was spent and which tools were used.

const INPUTS = ["keydown", "pointerdown", "pointermove", "pointerup", "wheel"];

/** All times are in milliseconds of the page's clock. */
export class Paradata {
  #onset = 0;
  #frame = 0;
  #lastInput = 0;
  /** @type {number | null} */
  #firstAct = null;
  /** @type {Record<string, number>} */
  #counts = {};
  #untimely = 0;
  #hidden = new Stopwatch();
  #blurred = new Stopwatch();
  #paused = new Stopwatch();
  #idle;
  #isReloaded;
  #starts = 0;

  /**
   * @param {boolean} isReloaded whether this page was reloaded, so that its first time is too short
   * @param {number} idleMs the reader is idle after this time without input
   */
  constructor(isReloaded, idleMs) {
    this.#isReloaded = isReloaded;
    this.#idle = new Idle(idleMs);
    document.addEventListener("visibilitychange", (event) => this.#hidden.set(document.hidden, event.timeStamp));
    addEventListener("blur", (event) => this.#blurred.set(true, event.timeStamp));
    addEventListener("focus", (event) => this.#blurred.set(false, event.timeStamp));
    for (const name of INPUTS)
      addEventListener(name, (event) => this.#noteInput(event.timeStamp), { capture: true, passive: true });
  }

  /**
   * Begin a new picture.
   * @param {{onset: number, frame: number}} shown when it was first visible, and the length of that frame
   */
  start({ onset, frame }) {
    this.#starts++;
    this.#onset = onset;
    this.#frame = frame;
    this.#firstAct = null;
    this.#counts = {};
    this.#untimely = 0;
    this.#idle.restart(onset);
    for (const watch of [this.#hidden, this.#blurred, this.#paused]) watch.restart(onset);
  }

  /**
   * Count an act of the reader.
   * @param {string} act
   * @param {number} [at] when the key or the pointer was pressed, not when the handler ran
   */
  note(act, at = this.#lastInput || performance.now()) {
    this.#firstAct ??= Math.max(at, this.#onset);
    this.#counts[act] = (this.#counts[act] ?? 0) + 1;
  }

  /** Count a verdict key that cannot belong to this picture: too early, before the last was saved, or in a pause. */
  noteUntimely() {
    this.#untimely++;
  }

  /**
   * Begin or end a pause. It does not count as idle time as well.
   * @param {boolean} isPaused
   * @param {number} at
   */
  pause(isPaused, at) {
    if (isPaused) this.#idle.noteInput(at);
    else this.#idle.skipTo(at);
    this.#paused.set(isPaused, at);
  }

  /**
   * Return the time in pauses since the onset.
   * @param {number} at
   */
  pausedUntil(at) {
    return this.#paused.until(at);
  }

  /**
   * Return the reading time without pauses.
   * @param {number} at when the verdict was given
   */
  elapsedUntil(at) {
    return Math.max(0, Math.round(at - this.#onset - this.pausedUntil(at)));
  }

  /**
   * Return everything up to a time, as the API accepts it.
   * @param {number} at when the verdict was given
   */
  until(at) {
    return {
      hidden_ms: Math.round(this.#hidden.until(at)),
      blurred_ms: Math.round(this.#blurred.until(at)),
      paused_ms: Math.round(this.pausedUntil(at)),
      idle_ms: Math.round(this.#idle.until(at)),
      first_action_ms: this.#firstAct === null ? null : Math.round(this.#firstAct - this.#onset),
      frame_ms: Math.round(this.#frame * 10) / 10,
      acts: { ...this.#counts },
      untimely_presses: this.#untimely,
      first_of_page: this.#starts === 1,
      reloaded: this.#isReloaded && this.#starts === 1,
      device_pixel_ratio: devicePixelRatio,
      viewport: [innerWidth, innerHeight],
    };
  }

  /** @param {number} at */
  #noteInput(at) {
    this.#lastInput = at;
    if (this.#paused.isRunning) this.#idle.skipTo(at);
    else this.#idle.noteInput(at);
  }
}

class Stopwatch {
  /** @type {number | null} */
  #since = null;
  #total = 0;

  get isRunning() {
    return this.#since !== null;
  }

  /**
   * @param {boolean} isRunning
   * @param {number} at
   */
  set(isRunning, at) {
    if (isRunning) this.#since ??= at;
    else if (this.#since !== null) {
      this.#total += Math.max(0, at - this.#since);
      this.#since = null;
    }
  }

  /** @param {number} at */
  restart(at) {
    this.#total = 0;
    if (this.#since !== null) this.#since = at;
  }

  /** @param {number} at */
  until(at) {
    return this.#total + (this.#since === null ? 0 : Math.max(0, at - this.#since));
  }
}

/** The time without input, beyond the first `after` milliseconds of each interval. */
class Idle {
  #after;
  #lastInput = 0;
  #total = 0;

  /** @param {number} after */
  constructor(after) {
    this.#after = after;
  }

  /** @param {number} at */
  restart(at) {
    this.#total = 0;
    this.#lastInput = at;
  }

  /** @param {number} at */
  noteInput(at) {
    this.#total = this.until(at);
    this.#lastInput = Math.max(this.#lastInput, at);
  }

  /**
   * Do not count the time before `at`.
   * @param {number} at
   */
  skipTo(at) {
    this.#lastInput = Math.max(this.#lastInput, at);
  }

  /** @param {number} at */
  until(at) {
    return this.#total + Math.max(0, at - this.#lastInput - this.#after);
  }
}
