// The display check that this reader passed last in this browser. On the same screen it stands for some hours.

/** @typedef {{width: number, height: number, device_pixel_ratio: number, color_depth: number}} Screen */
/** @typedef {{screen: Screen, minutes_ago?: number}} Results as they are sent to the server */

export class KeptCheck {
  #name;
  #standsForMs;

  /**
   * @param {string} reader
   * @param {number} standsForS
   */
  constructor(reader, standsForS) {
    this.#name = `reading.display.${reader}`;
    this.#standsForMs = 1000 * standsForS;
  }

  /** @param {Results} results of a check that was passed just now */
  keep(results) {
    try {
      localStorage.setItem(this.#name, JSON.stringify({ at: Date.now(), results }));
    } catch {
      // Full or forbidden: the check is asked for again.
    }
  }

  /**
   * Return the results that are kept, with how old they are; null if they are too old or of another screen.
   * @template {Screen} S
   * @param {S} screen
   */
  results(screen) {
    const kept = this.#kept;
    if (!kept) return null;
    const age = Date.now() - kept.at;
    const before = kept.results.screen;
    const isSame = /** @type {const} */ (["width", "height", "device_pixel_ratio", "color_depth"]).every(
      (name) => before[name] === screen[name],
    );
    if (!isSame || !(age >= 0 && age < this.#standsForMs)) return null;
    return { ...kept.results, screen, minutes_ago: Math.floor(age / 60_000) };
  }

  /** @returns {{at: number, results: Results} | null} */
  get #kept() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.#name) ?? "null");
      return kept?.results?.screen && typeof kept.at === "number" ? kept : null;
    } catch {
      return null;
    }
  }
}
