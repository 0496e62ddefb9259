// What happened between onset and verdict: where the time went and which tools were used.

const INPUTS = ["keydown", "pointerdown", "pointermove", "pointerup", "wheel"];

export class Paradata {
  #onset = 0;
  #frame = 0;
  #input = 0;
  #first = null;
  #counts = {};
  #untimely = 0;
  #watches = { hidden: new Stopwatch(), blurred: new Stopwatch(), paused: new Stopwatch() };
  #idle;
  #reloaded;
  #starts = 0;

  /**
   * @param {boolean} reloaded whether this page was reloaded, so that its first time is too short
   * @param {number} idleMs without any input for so long, the reader is idle
   */
  constructor(reloaded, idleMs) {
    this.#reloaded = reloaded;
    this.#idle = new Idle(idleMs);
    const { hidden, blurred } = this.#watches;
    document.addEventListener("visibilitychange", (event) => hidden.set(document.hidden, event.timeStamp));
    addEventListener("blur", (event) => blurred.set(true, event.timeStamp));
    addEventListener("focus", (event) => blurred.set(false, event.timeStamp));
    for (const name of INPUTS)
      addEventListener(name, (event) => this.#came(event.timeStamp), { capture: true, passive: true });
  }

  /** A new picture was seen first at `onset`, in milliseconds of the page's clock. */
  start({ onset, frame }) {
    this.#starts++;
    this.#onset = onset;
    this.#frame = frame;
    this.#first = null;
    this.#counts = {};
    this.#untimely = 0;
    this.#idle.restart(onset);
    for (const watch of Object.values(this.#watches)) watch.restart(onset);
  }

  /** The reader used a tool; `at`: when the key or the pointer was pressed, not when we came to it. */
  note(what, at = this.#input || performance.now()) {
    this.#first ??= Math.max(at, this.#onset);
    this.#counts[what] = (this.#counts[what] ?? 0) + 1;
  }

  /** A verdict key came too early to be meant for this picture, before the last was saved, or in a pause. */
  noteUntimely() {
    this.#untimely++;
  }

  /** The pause begins or ends. A pause is not idle: it is counted once. */
  pause(paused, at) {
    if (paused) this.#idle.came(at);
    else this.#idle.skipTo(at);
    this.#watches.paused.set(paused, at);
  }

  /** Paused since the onset, in milliseconds. */
  pausedUntil(at) {
    return this.#watches.paused.until(at);
  }

  /** The time of reading, without pauses. @param {number} at when the verdict was given, by the page's clock */
  elapsedUntil(at) {
    return Math.max(0, Math.round(at - this.#onset - this.pausedUntil(at)));
  }

  /** @param {number} at when the verdict was given, in milliseconds of the page's clock */
  until(at) {
    return {
      hidden_ms: Math.round(this.#watches.hidden.until(at)),
      blurred_ms: Math.round(this.#watches.blurred.until(at)),
      paused_ms: Math.round(this.pausedUntil(at)),
      idle_ms: Math.round(this.#idle.until(at)),
      first_action_ms: this.#first === null ? null : Math.round(this.#first - this.#onset),
      frame_ms: Math.round(this.#frame * 10) / 10,
      acts: { ...this.#counts },
      untimely_presses: this.#untimely,
      first_of_page: this.#starts === 1,
      reloaded: this.#reloaded && this.#starts === 1,
      device_pixel_ratio: devicePixelRatio,
      viewport: [innerWidth, innerHeight],
    };
  }

  #came(at) {
    this.#input = at;
    if (this.#watches.paused.running) this.#idle.skipTo(at);
    else this.#idle.came(at);
  }
}

class Stopwatch {
  #since = null;
  #total = 0;

  get running() {
    return this.#since !== null;
  }

  set(running, now) {
    if (running) this.#since ??= now;
    else if (this.#since !== null) {
      this.#total += Math.max(0, now - this.#since);
      this.#since = null;
    }
  }

  restart(at) {
    this.#total = 0;
    if (this.#since !== null) this.#since = at;
  }

  until(at) {
    return this.#total + (this.#since === null ? 0 : Math.max(0, at - this.#since));
  }
}

/** The time without any input beyond the first `after` milliseconds of each silence. */
class Idle {
  #after;
  #last = 0;
  #total = 0;

  constructor(after) {
    this.#after = after;
  }

  restart(at) {
    this.#total = 0;
    this.#last = at;
  }

  came(at) {
    this.#total = this.until(at);
    this.#last = Math.max(this.#last, at);
  }

  /** What lies before `at` was no silence. */
  skipTo(at) {
    this.#last = Math.max(this.#last, at);
  }

  until(at) {
    return this.#total + Math.max(0, at - this.#last - this.#after);
  }
}
