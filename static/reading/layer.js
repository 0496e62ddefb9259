// A picture seen through a tone. A canvas shows one, or two of which the upper lets the lower through.

const MARGIN = 64; // picture pixels painted beyond what is seen, so that a small pan paints nothing

export class Layer {
  picture = null;
  #half = null;

  /** @param {import("./tone.js").GreyTone | import("./tone.js").DifferenceTone} tone */
  constructor(tone) {
    this.tone = tone;
  }

  put(picture) {
    if (this.picture !== picture) this.#half = null;
    this.picture = picture;
  }

  /** The picture at half its size, each level the mean of four. */
  get half() {
    return (this.#half ??= halved(this.picture));
  }
}

/** @returns {{width: number, height: number, samples: Uint16Array}} a last odd row or column is left out */
export function halved({ width, height, samples }) {
  const [columns, rows] = [width >> 1, height >> 1];
  const means = new Uint16Array(columns * rows);
  for (let row = 0, o = 0; row < rows; row++)
    for (let i = 2 * row * width, end = i + 2 * columns; i < end; i += 2)
      means[o++] = (samples[i] + samples[i + 1] + samples[i + width] + samples[i + width + 1] + 2) >> 2;
  return { width: columns, height: rows, samples: means };
}

/** An off-screen canvas of a picture's size, painted through a table as far as it is seen. */
export class Painting {
  #context;
  #data;
  #pixels;
  #of = { samples: null, tone: null, version: -1 };
  #painted = { left: 0, top: 0, right: 0, bottom: 0 };

  /** @param {boolean} opaque whether nothing shines through, which is drawn faster */
  constructor(width, height, opaque) {
    this.width = width;
    this.height = height;
    this.canvas = new OffscreenCanvas(width, height);
    this.#context = this.canvas.getContext("2d", { alpha: !opaque });
    this.#data = this.#context.createImageData(width, height);
    this.#pixels = new Uint32Array(this.#data.data.buffer);
  }

  /**
   * @param {Uint16Array} samples
   * @param {import("./tone.js").GreyTone} tone
   * @param {{left: number, top: number, right: number, bottom: number}} seen in pixels of this canvas
   */
  paint(samples, tone, seen) {
    const same = this.#of.samples === samples && this.#of.tone === tone && this.#of.version === tone.version;
    if (same && contains(this.#painted, seen)) return;
    this.#of = { samples, tone, version: tone.version };
    this.#painted = {
      left: Math.max(0, seen.left - MARGIN),
      top: Math.max(0, seen.top - MARGIN),
      right: Math.min(this.width, seen.right + MARGIN),
      bottom: Math.min(this.height, seen.bottom + MARGIN),
    };
    this.#fill(samples, tone.table, this.#painted);
  }

  #fill(samples, table, { left, top, right, bottom }) {
    const pixels = this.#pixels;
    for (let row = top; row < bottom; row++)
      for (let i = row * this.width + left, end = row * this.width + right; i < end; i++)
        pixels[i] = table[samples[i]];
    this.#context.putImageData(this.#data, 0, 0, left, top, right - left, bottom - top);
  }
}

const contains = (outer, inner) =>
  outer.left <= inner.left && outer.top <= inner.top && outer.right >= inner.right && outer.bottom >= inner.bottom;
