// Layers drawn on a 2D canvas by our own hand: everywhere, and without a graphics card the faster way. What the view
// decides (the levels at the canvas's pixels) is kept apart from what the window decides (their colours), so that a
// window costs one look at a table for each pixel on screen.

import { resample } from "./resample.js";
import { halvingsAt, samplingOf } from "./sampling.js";

const BLACK = 0xff000000;

export class Surface2D {
  gpu = false;
  #canvas;
  #context;
  #data = null;
  #pixels = null;
  #seen = new Map();
  #next = null;
  #drawn = ""; // the part of the canvas that the picture covers; around it lies what was filled

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    // Written by the processor, whatever the machine.
    this.#context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  }

  /** @param {string} colour of the whole canvas */
  fill(colour) {
    this.#drawn = "";
    this.#context.fillStyle = colour;
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#context.fillStyle = "#000";
  }

  /**
   * @param {import("./layer.js").Layer[]} layers the lowest first, all of one size
   * @param {ReturnType<import("./viewport.js").View["place"]>} place
   */
  draw(layers, place) {
    const { width, height } = this.#canvas;
    if (this.#data?.width !== width || this.#data?.height !== height) this.#measure();
    for (const layer of this.#seen.keys()) if (!layers.includes(layer) && !layer.picture) this.#seen.delete(layer);
    const seen = layers.map((layer) => this.#look(layer, place));
    const { columns, rows } = seen[0].sampling;
    seen.forEach((part, i) => (i === 0 ? this.#colour(part, layers[i].tone) : this.#colourOver(part, layers[i].tone)));
    const part = [columns.from, rows.from, columns.to - columns.from, rows.to - rows.from];
    // Millions of pixels filled only to be drawn over cost a third of a frame.
    if (this.#drawn !== part.join()) this.fill("#000");
    this.#drawn = part.join();
    this.#context.putImageData(this.#data, 0, 0, ...part);
  }

  /** Work out the levels of a picture that comes next, so that showing it costs no more than a new window. */
  prepare(picture, place) {
    const { width, height } = this.#canvas;
    if (halvingsAt(place.zoom)) return; // its halves are made for its layer's tone
    const levels = this.#next?.levels.length === width * height ? this.#next.levels : new Uint16Array(width * height);
    const sampling = samplingOf(place, this.#canvas, picture, 0);
    resample(picture, sampling, levels, width);
    this.#next = { levels, sampling, picture, place };
  }

  #measure() {
    const { width, height } = this.#canvas;
    this.#data = this.#context.createImageData(width, height);
    this.#pixels = new Uint32Array(this.#data.data.buffer);
    this.#seen.clear();
    this.#drawn = ""; // a canvas that changed its size is blank
  }

  /** The layer's levels at the canvas's pixels; worked out anew only for another picture or another view. */
  #look(layer, place) {
    const { width, height } = this.#canvas;
    let seen = this.#seen.get(layer);
    if (!seen) this.#seen.set(layer, (seen = { levels: new Uint16Array(width * height) }));
    if (seen.picture === layer.picture && isSame(seen.place, place)) return seen;
    if (this.#next?.picture === layer.picture && isSame(this.#next.place, place) && this.#fits(this.#next)) {
      [seen, this.#next] = [this.#next, seen];
      this.#seen.set(layer, seen);
      return seen;
    }
    const halvings = halvingsAt(place.zoom);
    const picture = layer.halved(halvings);
    seen.sampling = samplingOf(place, this.#canvas, picture, halvings);
    resample(picture, seen.sampling, seen.levels, width);
    return Object.assign(seen, { picture: layer.picture, place });
  }

  #fits({ levels }) {
    return levels.length === this.#canvas.width * this.#canvas.height;
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
