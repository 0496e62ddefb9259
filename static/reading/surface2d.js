// Layers drawn on a 2D canvas: everywhere, and without a graphics card the faster way.

import { Painting } from "./layer.js";
import { HALF_BELOW, SMOOTH_UNTIL } from "./scale.js";
import { pointOf } from "./view.js";

export class Surface2D {
  gpu = false;
  #canvas;
  #context;
  #paintings = new WeakMap();

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
  }

  /** @param {string} colour of the whole canvas */
  fill(colour) {
    const { width, height } = this.#canvas;
    this.#context.resetTransform();
    this.#context.fillStyle = colour;
    this.#context.fillRect(0, 0, width, height);
  }

  /**
   * @param {import("./layer.js").Layer[]} layers the lowest first, all of one size
   * @param {ReturnType<import("./view.js").View["place"]>} place
   */
  draw(layers, place) {
    this.fill("#000");
    const context = this.#context;
    const { zoom, orientation, x, y } = place;
    context.imageSmoothingEnabled = zoom !== 1 && zoom < SMOOTH_UNTIL;
    context.imageSmoothingQuality = zoom < 1 ? "medium" : "low";
    context.setTransform(...orientation.map((part) => part * zoom), x, y);
    for (const layer of layers) {
      const isHalf = layer.tone.averages && zoom < HALF_BELOW;
      const { canvas, width, height } = this.#painted(layer, place, isHalf);
      const step = isHalf ? 2 : 1;
      context.drawImage(canvas, 0, 0, width * step, height * step);
    }
    context.resetTransform();
  }

  #painted(layer, place, isHalf) {
    const { width, height, samples } = isHalf ? layer.half : layer.picture;
    let painting = this.#paintings.get(layer);
    if (painting?.width !== width || painting?.height !== height)
      this.#paintings.set(layer, (painting = new Painting(width, height, layer.tone.opaque)));
    painting.paint(samples, layer.tone, this.#seen(place, layer.picture, isHalf ? 2 : 1));
    return painting;
  }

  /** What of the picture is on the canvas, in whole pixels of a painting `step` times smaller. */
  #seen(place, picture, step) {
    const corners = [pointOf(place, 0, 0), pointOf(place, this.#canvas.width, this.#canvas.height)];
    const span = (axis, most) => {
      const ends = corners.map((corner) => corner[axis] / step);
      const last = Math.floor(most / step);
      const within = (at) => Math.min(last, Math.max(0, at));
      return [within(Math.floor(Math.min(...ends)) - 2), within(Math.ceil(Math.max(...ends)) + 2)];
    };
    const [left, right] = span(0, picture.width);
    const [top, bottom] = span(1, picture.height);
    return { left, top, right, bottom };
  }
}
