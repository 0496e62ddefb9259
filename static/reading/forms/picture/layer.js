// An image and the colours in which it is seen. A canvas shows one layer, or a second one over it.

/** @import { GreyImage } from "../../decoding/png16.js" */
/** @import { ColourTable } from "./window_level.js" */
/** @import { Outline } from "./outline.js" */
/** @typedef {GreyImage & {levels: import("./grey_percentiles.js").GreyPercentiles, outline: Outline | null}} Picture */

/** @template {ColourTable} [Colours=ColourTable] */
export class Layer {
  /** @type {Picture | null} */
  picture = null;
  /** @type {GreyImage[]} */
  #halves = [];
  /** @type {Outline | null} */
  #outline = null;

  /** @param {Colours} colours */
  constructor(colours) {
    this.colours = colours;
  }

  /**
   * @param {Picture | null} picture
   * @param {Outline | null} [outline] of what was imaged, if the picture does not show it itself
   */
  put(picture, outline = picture?.outline ?? null) {
    if (this.picture !== picture) this.#halves = [];
    this.picture = picture;
    this.#outline = outline;
  }

  /** The outline outside of which the layer is black now; null: nothing is. */
  get shutter() {
    return this.colours.isShuttered ? this.#outline : null;
  }

  /**
   * Return the picture with its width and height halved so many times.
   * @param {number} times
   * @returns {GreyImage}
   * @throws {Error} if the layer has no picture
   */
  halved(times) {
    if (!this.picture) throw new Error("The layer has no picture.");
    if (times === 0) return this.picture;
    return (this.#halves[times] ??= halve(this.halved(times - 1), this.colours.levelOfFour));
  }
}

/**
 * Replace each square of four samples by one; a last odd row or column is dropped.
 * @param {GreyImage} image
 * @param {ColourTable["levelOfFour"]} levelOfFour
 * @returns {GreyImage}
 */
function halve({ width, height, samples }, levelOfFour) {
  const [columns, rows] = [width >> 1, height >> 1];
  const halved = new Uint16Array(columns * rows);
  for (let row = 0, o = 0; row < rows; row++)
    for (let i = 2 * row * width, end = i + 2 * columns; i < end; i += 2)
      halved[o++] = levelOfFour(samples[i], samples[i + 1], samples[i + width], samples[i + width + 1]);
  return { width: columns, height: rows, samples: halved };
}
