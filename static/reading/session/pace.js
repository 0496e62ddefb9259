// How long the rest of a session takes at the reader's own pace.

const LEAST = 5; // images before it is worth saying
const MINUTE = 60_000;
const LONGEST = 3 * MINUTE; // more than that on one image was no reading

export class Pace {
  #position = 0;
  #since = 0;
  /** @type {number[]} milliseconds from one image to the next */
  #times = [];

  /**
   * An image is on screen.
   * @param {number} position
   * @param {number} [now] by the page's clock
   */
  reach(position, now = performance.now()) {
    const time = now - this.#since;
    if (position === this.#position + 1 && this.#position && time < LONGEST) this.#times.push(time);
    if (position !== this.#position) this.#since = now;
    this.#position = position;
  }

  /**
   * Return the whole minutes that so many images take, at least 1; null while too few were read.
   * @param {number} images
   */
  minutesFor(images) {
    if (this.#times.length < LEAST) return null;
    const ordered = [...this.#times].sort((one, other) => one - other);
    const median = ordered[ordered.length >> 1];
    return Math.max(1, Math.round((images * median) / MINUTE));
  }
}
