// Software renderer on a 2D canvas; the fallback, and faster than WebGL without a graphics card. The levels at the
// canvas's pixels (decided by the viewport) are kept apart from their colours (decided by the window), so that a
// change of the window costs one table lookup per pixel.

import { context2d } from "../../dom.js";
import { resample } from "./resample.js";
import { halvingsAt, partOf, samplingOf } from "./sampling.js";
import { shutRow } from "./shutter.js";

/** @import { Layer, Picture } from "./layer.js" */
/** @import { Placement } from "./viewport.js" */

/**
 * A picture resampled for the canvas.
 * @typedef {object} Resampled
 * @property {Uint16Array} levels
 * @property {import("./sampling.js").Sampling} sampling
 * @property {Picture | null} picture
 * @property {Placement} placement
 */

const BLACK = 0xff000000;

export class Renderer2D {
  isGpu = false;
  #canvas;
  #context;
  /** @type {ImageData | null} */
  #image = null;
  #pixels = new Uint32Array();
  /** @type {Map<Layer, Resampled>} */
  #resampled = new Map();
  /** @type {Resampled | null} */
  #next = null;
  #drawn = ""; // the part of the canvas that the picture covers; the rest is filled

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    // The processor writes the pixels on every machine.
    this.#context = context2d(canvas, { alpha: false, willReadFrequently: true });
  }

  /** @param {string} colour of the whole canvas */
  fill(colour) {
    this.#drawn = "";
    this.#context.fillStyle = colour;
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#context.fillStyle = "#000";
  }

  /**
   * @param {Layer[]} layers the lowest first, all of one size
   * @param {Placement} placement
   */
  draw(layers, placement) {
    const image = this.#imageOfCanvas();
    for (const layer of this.#resampled.keys())
      if (!layers.includes(layer) && !layer.picture) this.#resampled.delete(layer);
    const resampled = layers.map((layer) => this.#resample(layer, placement));
    const { columns, rows } = resampled[0].sampling;
    resampled.forEach((part, i) => (i === 0 ? this.#colour(part, layers[i]) : this.#colourOver(part, layers[i])));
    /** @type {[number, number, number, number]} */
    const part = [columns.from, rows.from, columns.to - columns.from, rows.to - rows.from];
    // To fill millions of pixels that are drawn over costs a third of a frame.
    if (this.#drawn !== part.join()) this.fill("#000");
    this.#drawn = part.join();
    this.#context.putImageData(image, 0, 0, ...part);
  }

  /**
   * Resample the next picture, so that showing it costs no more than a change of the window.
   * @param {Picture} picture
   * @param {Placement} placement
   */
  prepare(picture, placement) {
    const { width, height } = this.#canvas;
    if (halvingsAt(placement.zoom)) return; // its halves depend on the colours of its layer
    const levels = this.#next?.levels.length === width * height ? this.#next.levels : new Uint16Array(width * height);
    const sampling = samplingOf(placement, this.#canvas, picture, 0);
    resample(picture, sampling, levels, width);
    this.#next = { levels, sampling, picture, placement };
  }

  #imageOfCanvas() {
    const { width, height } = this.#canvas;
    if (this.#image?.width === width && this.#image.height === height) return this.#image;
    this.#image = this.#context.createImageData(width, height);
    this.#pixels = new Uint32Array(this.#image.data.buffer);
    this.#resampled.clear();
    this.#drawn = ""; // a canvas that changed its size is blank
    return this.#image;
  }

  /**
   * Return the layer's levels at the canvas's pixels, resampled only for another picture or another placement.
   * @param {Layer} layer
   * @param {Placement} placement
   */
  #resample(layer, placement) {
    const { width, height } = this.#canvas;
    const known = this.#resampled.get(layer);
    if (known && known.picture === layer.picture && isSame(known.placement, placement)) return known;
    if (this.#next?.picture === layer.picture && isSame(this.#next.placement, placement) && this.#fits(this.#next)) {
      const next = this.#next;
      this.#next = known ?? null;
      this.#resampled.set(layer, next);
      return next;
    }
    const halvings = halvingsAt(placement.zoom);
    const picture = layer.halved(halvings);
    const sampling = samplingOf(placement, this.#canvas, picture, halvings);
    const levels = known?.levels ?? new Uint16Array(width * height);
    if (known && isMoved(known, layer.picture, placement)) this.#move(known, picture, sampling, placement);
    else resample(picture, sampling, levels, width);
    const resampled = { levels, sampling, picture: layer.picture, placement };
    this.#resampled.set(layer, resampled);
    return resampled;
  }

  /**
   * Move the levels with the picture, and resample only what was not on the canvas before.
   * @param {Resampled} known
   * @param {import("../../decoding/png16.js").GreyImage} picture
   * @param {import("./sampling.js").Sampling} sampling at the new placement
   * @param {Placement} placement
   */
  #move({ levels, sampling: before, placement: { left, top } }, picture, sampling, placement) {
    const { width } = this.#canvas;
    const [across, down] = [placement.left - left, placement.top - top];
    const columns = overlap(before.columns, sampling.columns, across);
    const rows = overlap(before.rows, sampling.rows, down);
    // Rows are copied from the far end, so that none is overwritten before it is copied.
    for (let i = rows.from; i < rows.to; i++) {
      const y = down > 0 ? rows.from + rows.to - 1 - i : i;
      const start = (y - down) * width - across;
      levels.copyWithin(y * width + columns.from, start + columns.from, start + columns.to);
    }
    const kept = /** @type {[number, number]} */ ([rows.from, rows.to]);
    for (const part of [
      partOf(sampling, { rows: [0, rows.from] }),
      partOf(sampling, { rows: [rows.to, Infinity] }),
      partOf(sampling, { rows: kept, columns: [0, columns.from] }),
      partOf(sampling, { rows: kept, columns: [columns.to, Infinity] }),
    ])
      if (part.columns.from < part.columns.to && part.rows.from < part.rows.to) resample(picture, part, levels, width);
  }

  /** @param {Resampled} resampled */
  #fits({ levels }) {
    return levels.length === this.#canvas.width * this.#canvas.height;
  }

  /**
   * @param {Resampled} resampled
   * @param {Layer} layer
   */
  #colour({ levels, sampling }, { colours: { table }, shutter }) {
    const pixels = this.#pixels;
    const { width } = this.#canvas;
    const { columns, rows } = sampling;
    for (let y = rows.from; y < rows.to; y++) {
      for (let i = y * width + columns.from, end = y * width + columns.to; i < end; i++) pixels[i] = table[levels[i]];
      if (shutter) shutRow(pixels, y * width, shutter, sampling, y, BLACK);
    }
  }

  /**
   * @param {Resampled} resampled
   * @param {Layer} layer
   */
  #colourOver({ levels, sampling: { columns, rows } }, { colours: { table } }) {
    const pixels = this.#pixels;
    const { width } = this.#canvas;
    for (let y = rows.from; y < rows.to; y++)
      for (let i = y * width + columns.from, end = y * width + columns.to; i < end; i++) {
        const colour = table[levels[i]];
        if (colour >>> 24) pixels[i] = over(colour, pixels[i]);
      }
  }
}

/**
 * @param {number} colour
 * @param {number} below
 */
function over(colour, below) {
  const alpha = colour >>> 24;
  /** @param {number} shift */
  const part = (shift) => {
    const mixed = ((colour >>> shift) & 255) * alpha + ((below >>> shift) & 255) * (255 - alpha);
    return Math.floor(mixed / 255 + 0.5) << shift;
  };
  return BLACK | part(0) | part(8) | part(16);
}

/**
 * Whether resampled levels differ only by where the picture lies.
 * @param {Resampled} known
 * @param {Picture | null} picture
 * @param {Placement} placement
 */
function isMoved({ picture: before, placement: old }, picture, placement) {
  const { left, top, x, y } = old;
  return before === picture && isSame({ ...placement, left, top, x, y }, old);
}

/**
 * Return the canvas pixels that show the same samples as before a movement.
 * @param {import("./sampling.js").Axis} before
 * @param {import("./sampling.js").Axis} after
 * @param {number} by
 */
function overlap(before, after, by) {
  const from = Math.max(after.from, before.from + by);
  return { from, to: Math.max(from, Math.min(after.to, before.to + by)) };
}

/**
 * @param {Placement} one
 * @param {Placement} other
 */
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
