// A picture seen through a tone. A canvas shows one, or two of which the upper lets the lower through.

export class Layer {
  picture = null;
  #halves = [];

  /** @param {import("./window_level.js").GreyTone | import("./window_level.js").DifferenceTone} tone */
  constructor(tone) {
    this.tone = tone;
  }

  put(picture) {
    if (this.picture !== picture) this.#halves = [];
    this.picture = picture;
  }

  /** The picture, its width and height halved so many times. */
  halved(times) {
    if (times === 0) return this.picture;
    return (this.#halves[times] ??= halve(this.halved(times - 1), this.tone.ofFour));
  }
}

/** One level for each four; a last odd row or column is left out. */
function halve({ width, height, samples }, ofFour) {
  const [columns, rows] = [width >> 1, height >> 1];
  const halved = new Uint16Array(columns * rows);
  for (let row = 0, o = 0; row < rows; row++)
    for (let i = 2 * row * width, end = i + 2 * columns; i < end; i += 2)
      halved[o++] = ofFour(samples[i], samples[i + 1], samples[i + width], samples[i + width + 1]);
  return { width: columns, height: rows, samples: halved };
}
