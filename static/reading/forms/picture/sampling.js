// Which pixels of a picture each pixel of a canvas takes, at each zoom. Both renderers follow this to the last bit, so
// that the same view of the same picture is the same on every machine.

/** @import { Placement } from "./viewport.js" */
/** @typedef {{width: number, height: number}} Size */

/**
 * The samples along one axis of a canvas.
 * @typedef {object} Axis
 * @property {number} from first canvas pixel that the picture covers
 * @property {number} to one after the last
 * @property {Uint16Array} taps four for each canvas pixel: first sample, second sample, weight of the second, 0
 */
/** @typedef {{columns: Axis, rows: Axis, isTurned: boolean, isSmooth: boolean}} Sampling */

/** From this zoom on each pixel is drawn as a square, because readers zoom in to see the pixels. */
const SMOOTH_UNTIL = 4;

/** Weights are whole numbers out of this: a level of 16 bits and two weights of 7 bits each stay within 31 bits. */
export const WEIGHTS = 128;

/**
 * @param {number} zoom
 * @returns {"one_to_one" | "interpolated" | "doubled"}
 */
export function scaleOf(zoom) {
  if (zoom === 1) return "one_to_one";
  return zoom < SMOOTH_UNTIL ? "interpolated" : "doubled";
}

/**
 * Return how many times the picture is halved before it is drawn: interpolation alone would skip pixels.
 * @param {number} zoom
 */
export function halvingsAt(zoom) {
  if (zoom >= 0.5) return 0;
  return zoom >= 0.25 ? 1 : 2;
}

/**
 * @param {Placement} placement
 * @param {Size} canvas
 * @param {Size} picture halved `halvings` times
 * @param {number} halvings
 * @returns {Sampling}
 */
export function samplingOf(placement, canvas, picture, halvings) {
  const [a, b, c, d] = placement.orientation;
  const zoom = placement.zoom * 2 ** halvings;
  const isSmooth = !placement.isSquare && scaleOf(placement.zoom) === "interpolated";
  /** @type {(length: number, origin: number, ofX: number, ofY: number) => Axis} */
  const along = (length, origin, ofX, ofY) =>
    axis(length, origin, (ofX + ofY) / zoom, ofX ? picture.width : picture.height, isSmooth);
  const columns = along(canvas.width, placement.x, a, c);
  const rows = along(canvas.height, placement.y, b, d);
  return { columns, rows, isTurned: a === 0, isSmooth };
}

/**
 * @param {number} length of the canvas
 * @param {number} origin canvas point of the picture's first edge
 * @param {number} step picture pixels per canvas pixel; negative if mirrored
 * @param {number} size of the picture
 * @param {boolean} isSmooth
 * @returns {Axis}
 */
function axis(length, origin, step, size, isSmooth) {
  const taps = new Uint16Array(4 * length);
  let from = length;
  let to = 0;
  for (let pixel = 0; pixel < length; pixel++) {
    const at = (pixel + 0.5 - origin) * step;
    if (at < 0 || at >= size) continue;
    from = Math.min(from, pixel);
    to = pixel + 1;
    const first = Math.floor(isSmooth ? at - 0.5 : at);
    taps[4 * pixel] = Math.max(0, first);
    taps[4 * pixel + 1] = isSmooth ? Math.min(size - 1, first + 1) : first;
    taps[4 * pixel + 2] = isSmooth ? Math.round((at - 0.5 - first) * WEIGHTS) : 0;
  }
  return { from: Math.min(from, to), to, taps };
}
