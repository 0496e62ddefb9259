// Layers drawn on a 2D canvas by our own hand: everywhere, and without a graphics card the faster way. What the view
// decides (the levels at the canvas's pixels) is kept apart from what the window decides (their colours), so that a
// window costs one look at a table for each pixel on screen.

import { resample } from "./resample.js";
import { halvingsAt, samplingOf } from "./scale.js";

const BLACK = 0xff000000;

export class Surface2D {
  gpu = false;
  #canvas;
  #context;
  #data = null;
  #pixels = null;
  #seen = new Map();

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    // Written by the processor, whatever the machine.
    this.#context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  }

  /** @param {string} colour of the whole canvas */
  fill(colour) {
    this.#context.fillStyle = colour;
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#context.fillStyle = "#000";
  }

  /**
   * @param {import("./layer.js").Layer[]} layers the lowest first, all of one size
   * @param {ReturnType<import("./view.js").View["place"]>} place
   */
  draw(layers, place) {
    const { width, height } = this.#canvas;
    if (this.#data?.width !== width || this.#data?.height !== height) this.#measure();
    for (const layer of this.#seen.keys()) if (!layers.includes(layer) && !layer.picture) this.#seen.delete(layer);
    const seen = layers.map((layer) => this.#look(layer, place));
    const { columns, rows } = seen[0].sampling;
    seen.forEach((part, i) => (i === 0 ? this.#colour(part, layers[i].tone) : this.#colourOver(part, layers[i].tone)));
    this.fill("#000");
    this.#context.putImageData(this.#data, 0, 0, columns.from, rows.from, columns.to - columns.from, rows.to - rows.from);
  }

  #measure() {
    const { width, height } = this.#canvas;
    this.#data = this.#context.createImageData(width, height);
    this.#pixels = new Uint32Array(this.#data.data.buffer);
    this.#seen.clear();
  }

  /** The layer's levels at the canvas's pixels; worked out anew only for another picture or another view. */
  #look(layer, place) {
    const { width, height } = this.#canvas;
    let seen = this.#seen.get(layer);
    if (!seen) this.#seen.set(layer, (seen = { levels: new Uint16Array(width * height) }));
    if (seen.picture === layer.picture && isSame(seen.place, place)) return seen;
    const halvings = halvingsAt(place.zoom);
    const picture = layer.halved(halvings);
    seen.sampling = samplingOf(place, this.#canvas, picture, halvings);
    resample(picture, seen.sampling, seen.levels, width);
    return Object.assign(seen, { picture: layer.picture, place });
  }

  #colour({ levels, sampling: { columns, rows } }, { table }) {
    const pixels = this.#pixels;
    const { width } = this.#canvas;
    for (let y = rows.from; y < rows.to; y++)
      for (let i = y * width + columns.from, end = y * width + columns.to; i < end; i++) pixels[i] = table[levels[i]];
  }

  #colourOver({ levels, sampling: { columns, rows } }, { table }) {
    const pixels = this.#pixels;
    const { width } = this.#canvas;
    for (let y = rows.from; y < rows.to; y++)
      for (let i = y * width + columns.from, end = y * width + columns.to; i < end; i++) {
        const colour = table[levels[i]];
        if (colour >>> 24) pixels[i] = over(colour, pixels[i]);
      }
  }
}

function over(colour, below) {
  const alpha = colour >>> 24;
  const part = (shift) => {
    const mixed = ((colour >>> shift) & 255) * alpha + ((below >>> shift) & 255) * (255 - alpha);
    return Math.floor(mixed / 255 + 0.5) << shift;
  };
  return BLACK | part(0) | part(8) | part(16);
}

const isSame = (one, other) => one !== undefined && JSON.stringify(one) === JSON.stringify(other);
