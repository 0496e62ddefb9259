// When a break is offered: before the images that the plan names, and once a reader has read for long enough.

const MINUTE = 60_000;

export class Breaks {
  #ms;
  #since = Date.now();
  #isDue = false;

  /** @param {number} minutes of reading until a break is offered; 0: only where the plan names it */
  constructor(minutes) {
    this.#ms = minutes * MINUTE;
  }

  /** Reading begins, or goes on after a break. */
  begin() {
    this.#since = Date.now();
    this.#isDue = false;
  }

  /**
   * Decide, before the next image is shown, whether a break comes before it.
   * @param {boolean} isPlanned
   * @param {number} pausedMs at the current image; a long pause is a break too
   */
  decide(isPlanned, pausedMs) {
    if (pausedMs >= MINUTE) this.begin();
    this.#isDue = isPlanned || (this.#ms > 0 && Date.now() - this.#since >= this.#ms);
  }

  get isDue() {
    return this.#isDue;
  }
}
