// The display check that this reader passed last in this browser. On the same screen it stands for some hours.

/** @typedef {{width: number, height: number, device_pixel_ratio: number, color_depth: number}} Screen */
/** @typedef {{screen: Screen, minutes_ago?: number, card_px_per_mm?: number | null}} Results as the server gets them */

const FACTS = /** @type {const} */ (["width", "height", "device_pixel_ratio", "color_depth"]);

/** Return what makes a screen another one; zooming the page does too. */
export function screenNow() {
  const { width, height, colorDepth } = screen;
  return { width, height, device_pixel_ratio: devicePixelRatio, color_depth: colorDepth };
}

export class KeptCheck {
  #name;
  #standsForMs;

  /**
   * @param {string} reader
   * @param {number} [standsForS]
   */
  constructor(reader, standsForS = 0) {
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
    if (!isSame(kept.results.screen, screen) || !(age >= 0 && age < this.#standsForMs)) return null;
    return { ...kept.results, screen, minutes_ago: Math.floor(age / 60_000) };
  }

  /**
   * Return CSS pixels per millimetre by the bank card, however long ago it was measured on this screen; null if it was
   * not.
   * @param {Screen} screen
   */
  pixelsPerMm(screen) {
    const results = this.#kept?.results;
    return (results && isSame(results.screen, screen) && results.card_px_per_mm) || null;
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

/**
 * @param {Screen} one
 * @param {Screen} other
 */
const isSame = (one, other) => FACTS.every((name) => one[name] === other[name]);
