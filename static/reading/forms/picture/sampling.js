// Which pixels of a picture each pixel of a canvas takes, at each zoom: below 1:1 the mean of the area that it covers,
// above it the interpolation of its neighbours. Both renderers follow this to the last bit, so that the same view of
// the same picture is the same on every machine.

/** @import { Placement } from "./viewport.js" */
/** @typedef {{width: number, height: number}} Size */

/**
 * The samples along one axis of a canvas.
 * @typedef {object} Axis
 * @property {number} from first canvas pixel that the picture covers
 * @property {number} to one after the last
 * @property {number} size of the picture along this axis: samples beyond the last are the last
 * @property {number} count of the samples that a canvas pixel takes, 1 to 4, each beside the one before
 * @property {Uint16Array} taps four for each canvas pixel: the first sample and the weights of the first three; the
 *   weight of the fourth is what is left of WEIGHTS
 * @property {Uint16Array} centres the pixel of the whole picture, not halved, at the middle of each canvas pixel
 */
/** @typedef {{columns: Axis, rows: Axis, isTurned: boolean}} Sampling */
/** @typedef {"one_to_one" | "reduced" | "enlarged"} Scale */

/** From this zoom on each pixel is drawn as a square, because readers zoom in to see the pixels. */
const SMOOTH_UNTIL = 4;

/** Weights are whole numbers out of this: a level of 16 bits and two weights of 7 bits each stay within 31 bits. */
export const WEIGHTS = 128;

/** At this zoom a canvas pixel covers at most four samples along an axis. */
const SMALLEST = 0.4;

/**
 * @param {number} zoom
 * @returns {Scale}
 */
export function scaleOf(zoom) {
  if (zoom === 1) return "one_to_one";
  return zoom < 1 ? "reduced" : "enlarged";
}

/**
 * Whether each pixel is a square at this zoom.
 * @param {number} zoom
 */
export const isSquareAt = (zoom) => zoom >= SMOOTH_UNTIL;

/**
 * Return how many times the picture is halved before it is drawn.
 * @param {number} zoom
 */
export const halvingsAt = (zoom) => Math.max(0, Math.ceil(Math.log2(SMALLEST / zoom)));

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
  const isSquare = zoom === 1 || isSquareAt(zoom);
  const tapsOf = zoom < 1 ? areaTaps : isSquare ? nearestTaps : interpolatingTaps;
  /** @type {(length: number, origin: number, box: number, direction: number, ofX: number) => Axis} */
  const along = (length, origin, box, direction, ofX) =>
    axis(
      length,
      { origin, extent: box / zoom, step: direction / zoom },
      ofX ? picture.width : picture.height,
      tapsOf,
      halvings,
    );
  const columns = along(canvas.width, placement.left, placement.width, a + c, a);
  const rows = along(canvas.height, placement.top, placement.height, b + d, b);
  return { columns, rows, isTurned: a === 0 };
}

/**
 * Return the same sampling for a part of the canvas.
 * @param {Sampling} sampling
 * @param {{columns?: [number, number], rows?: [number, number]}} part canvas pixels, from and to
 * @returns {Sampling}
 */
export function partOf({ columns, rows, isTurned }, part) {
  return { columns: cut(columns, part.columns), rows: cut(rows, part.rows), isTurned };
}

/**
 * @param {Axis} axis
 * @param {[number, number]} [part]
 * @returns {Axis}
 */
function cut(axis, part) {
  if (!part) return axis;
  const from = Math.max(axis.from, part[0]);
  return { ...axis, from, to: Math.max(from, Math.min(axis.to, part[1])) };
}

/**
 * The samples of one canvas pixel: the first of them, and the weights of up to four, which sum to WEIGHTS.
 * @typedef {[first: number, ...weights: number[]]} Taps
 */

/**
 * @param {number} length of the canvas
 * @param {{origin: number, extent: number, step: number}} box of the picture: the whole canvas pixel at which it
 *   begins, so that a picture that was moved has exactly the same samples; its length in picture pixels; picture pixels
 *   per canvas pixel, negative if mirrored
 * @param {number} size of the picture
 * @param {(at: number, reach: number, size: number) => Taps} tapsOf the samples around a point of the picture;
 *   `reach`: half of what the canvas pixel covers
 * @param {number} halvings of the picture
 * @returns {Axis}
 */
function axis(length, { origin, extent, step }, size, tapsOf, halvings) {
  const taps = new Uint16Array(4 * length);
  const centres = new Uint16Array(length);
  let from = length;
  let to = 0;
  let count = 1;
  for (let pixel = 0; pixel < length; pixel++) {
    const inside = (pixel - origin + 0.5) * Math.abs(step);
    const at = step < 0 ? extent - inside : inside;
    if (at < 0 || at >= size) continue;
    from = Math.min(from, pixel);
    to = pixel + 1;
    centres[pixel] = Math.floor(at * 2 ** halvings);
    const [first, ...weights] = tapsOf(at, Math.abs(step) / 2, size);
    taps[4 * pixel] = first;
    taps.set(weights.slice(0, 3), 4 * pixel + 1);
    count = Math.max(count, weights.length);
  }
  return { from: Math.min(from, to), to, size, count, taps, centres };
}

/**
 * @param {number} at
 * @returns {Taps}
 */
const nearestTaps = (at) => [Math.floor(at), WEIGHTS];

/**
 * @param {number} at
 * @param {number} _reach
 * @param {number} size
 * @returns {Taps}
 */
function interpolatingTaps(at, _reach, size) {
  const below = Math.floor(at - 0.5);
  if (below < 0 || below + 1 >= size) return [Math.max(0, below), WEIGHTS];
  const second = Math.round((at - 0.5 - below) * WEIGHTS);
  return [below, WEIGHTS - second, second];
}

/**
 * Each sample has the share of the covered length that lies on it.
 * @param {number} at
 * @param {number} reach
 * @param {number} size
 * @returns {Taps}
 */
function areaTaps(at, reach, size) {
  const from = Math.max(0, at - reach);
  const to = Math.min(size, at + reach);
  const first = Math.floor(from);
  /** @type {Taps} */
  const taps = [first];
  let given = 0;
  for (let end = first + 1; given < WEIGHTS; end++) {
    const sum = taps.length === 4 ? WEIGHTS : Math.round(((Math.min(end, to) - from) / (to - from)) * WEIGHTS);
    taps.push(sum - given);
    given = sum;
  }
  return taps;
}
