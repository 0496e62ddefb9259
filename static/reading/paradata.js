// What happened between onset and verdict: where the time went and which tools were used.

export class Paradata {
  #onset = 0;
  #frame = 0;
  #first = null;
  #counts = {};
  #untimely = 0;
  #away = { hidden: new Stopwatch(), blurred: new Stopwatch() };
  #reloaded;
  #starts = 0;

  /** @param {boolean} reloaded whether this page was reloaded, so that its first time is too short */
  constructor(reloaded) {
    this.#reloaded = reloaded;
    document.addEventListener("visibilitychange", () => this.#away.hidden.set(document.hidden));
    addEventListener("blur", () => this.#away.blurred.set(true));
    addEventListener("focus", () => this.#away.blurred.set(false));
  }

  /** A new picture was seen first at `onset`, in milliseconds of the page's clock. */
  start({ onset, frame }) {
    this.#starts++;
    this.#onset = onset;
    this.#frame = frame;
    this.#first = null;
    this.#counts = {};
    this.#untimely = 0;
    for (const watch of Object.values(this.#away)) watch.restart(onset);
  }

  /** The reader used a tool. */
  note(what) {
    this.#first ??= performance.now();
    this.#counts[what] = (this.#counts[what] ?? 0) + 1;
  }

  /** A verdict key came too early to be meant for this picture, or before the last verdict was saved. */
  noteUntimely() {
    this.#untimely++;
  }

  /** @param {number} at when the verdict was given, in milliseconds of the page's clock */
  until(at) {
    return {
      hidden_ms: this.#away.hidden.until(at),
      blurred_ms: this.#away.blurred.until(at),
      first_action_ms: this.#first === null ? null : Math.round(this.#first - this.#onset),
      frame_ms: Math.round(this.#frame * 10) / 10,
      acts: this.#counts,
      untimely_presses: this.#untimely,
      reloaded: this.#reloaded && this.#starts === 1,
      device_pixel_ratio: devicePixelRatio,
      viewport: [innerWidth, innerHeight],
    };
  }
}

class Stopwatch {
  #since = null;
  #total = 0;

  set(running) {
    const now = performance.now();
    if (running) this.#since ??= now;
    else if (this.#since !== null) {
      this.#total += now - this.#since;
      this.#since = null;
    }
  }

  restart(at) {
    this.#total = 0;
    if (this.#since !== null) this.#since = at;
  }

  until(at) {
    const open = this.#since === null ? 0 : Math.max(0, at - this.#since);
    return Math.round(this.#total + open);
  }
}
