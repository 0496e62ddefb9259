// What of a picture stays black in other windows than the standard one: the air around the object, which would be the
// brightest part of the screen in an inverted picture.

/** @import { Outline } from "./outline.js" */
/** @import { Axis, Sampling } from "./sampling.js" */

/**
 * Whether a picture's pixel lies outside the object.
 * @param {Outline} outline
 * @param {number} column
 * @param {number} row
 */
export const isShut = ({ spans }, column, row) => column < spans[2 * row] || column >= spans[2 * row + 1];

/**
 * Fill with black what of one canvas row lies outside the object.
 * @param {Uint32Array} pixels of the canvas
 * @param {number} start of the row in `pixels`
 * @param {Outline} outline
 * @param {Sampling} sampling
 * @param {number} y canvas row
 * @param {number} black
 */
export function shutRow(pixels, start, outline, { columns, rows, isTurned }, y, black) {
  const { from, to, centres } = columns;
  const at = rows.centres[y];
  if (isTurned) {
    for (let x = from; x < to; x++) if (isShut(outline, at, centres[x])) pixels[start + x] = black;
    return;
  }
  const open = openPart(outline, columns, at);
  pixels.fill(black, start + from, start + open.from);
  pixels.fill(black, start + open.to, start + to);
}

/**
 * Return which canvas columns show the object in a row of the picture. They follow one another.
 * @param {Outline} outline
 * @param {Axis} columns
 * @param {number} row
 */
export function openPart({ spans }, columns, row) {
  const [first, end] = [spans[2 * row], spans[2 * row + 1]];
  const { from, to, centres } = columns;
  const isMirrored = to > from && centres[from] > centres[to - 1];
  if (first >= end) return { from: to, to }; // nothing
  return isMirrored
    ? { from: firstWhere(from, to, (x) => centres[x] < end), to: firstWhere(from, to, (x) => centres[x] < first) }
    : { from: firstWhere(from, to, (x) => centres[x] >= first), to: firstWhere(from, to, (x) => centres[x] >= end) };
}

/**
 * Return the first of whole numbers for which a condition holds that holds for all after it too.
 * @param {number} from
 * @param {number} to returned if it holds for none before
 * @param {(value: number) => boolean} holds
 */
function firstWhere(from, to, holds) {
  while (from < to) {
    const half = (from + to) >> 1;
    if (holds(half)) to = half;
    else from = half + 1;
  }
  return from;
}
