// The levels of a picture at the pixels of a canvas, in integers, as the sampling says.

import { WEIGHTS } from "./sampling.js";

/** @import { Axis } from "./sampling.js" */

const ROUND = (WEIGHTS * WEIGHTS) / 2;
const SHIFT = 2 * Math.log2(WEIGHTS);

/**
 * @param {{width: number, samples: Uint16Array}} picture
 * @param {import("./sampling.js").Sampling} sampling
 * @param {Uint16Array} levels filled where the picture lies, `stride` to a row
 * @param {number} stride
 */
export function resample({ width, samples }, sampling, levels, stride) {
  const { columns, rows, isTurned } = sampling;
  const [perColumn, perRow] = isTurned ? [width, 1] : [1, width];
  const fill = columns.count > 1 || rows.count > 1 ? weigh : copy;
  fill(samples, columns, rows, perColumn, perRow, levels, stride);
}

/**
 * Take the nearest sample.
 * @param {Uint16Array} samples
 * @param {Axis} columns
 * @param {Axis} rows
 * @param {number} perColumn distance of neighbours in `samples`
 * @param {number} perRow
 * @param {Uint16Array} levels
 * @param {number} stride
 */
function copy(samples, columns, rows, perColumn, perRow, levels, stride) {
  const { from, to } = columns;
  const first = offsets(columns, 0, perColumn);
  for (let y = rows.from; y < rows.to; y++) {
    const row = rows.taps[4 * y];
    const o = y * stride;
    if (y > rows.from && row === rows.taps[4 * (y - 1)]) {
      levels.copyWithin(o + from, o + from - stride, o + to - stride);
      continue;
    }
    const start = row * perRow;
    for (let x = from; x < to; x++) levels[o + x] = samples[start + first[x]];
  }
}

/**
 * Take the weighted mean of up to four samples in each direction.
 * @type {typeof copy}
 */
function weigh(samples, columns, rows, perColumn, perRow, levels, stride) {
  const { from, to } = columns;
  const places = [0, 1, 2, 3].map((tap) => offsets(columns, tap, perColumn));
  const weights = [0, 1, 2, 3].map((tap) => weightsOf(columns, tap));
  // Rows follow one another, up or down: each is summed once and used for all canvas rows that take it.
  const held = [0, 1, 2, 3].map(() => ({ row: -1, line: new Int32Array(to) }));
  /** @param {number} row */
  const lineOf = (row) => {
    const slot = held[row & 3];
    if (slot.row !== row) sum(samples, row * perRow, places, weights, columns.count, slot.line, from, to);
    slot.row = row;
    return slot.line;
  };
  for (let y = rows.from; y < rows.to; y++) {
    const [first, ...shares] = rows.taps.subarray(4 * y, 4 * y + 4);
    shares.push(WEIGHTS - shares[0] - shares[1] - shares[2]);
    const lines = shares.map((_, tap) => lineOf(Math.min(first + (tap < rows.count ? tap : 0), rows.size - 1)));
    mix(lines, shares, levels, y * stride, from, to);
  }
}

/**
 * @param {Uint16Array} samples
 * @param {number} start of the row in `samples`
 * @param {Int32Array[]} places of each tap at each canvas column
 * @param {Int32Array[]} weights of each tap at each canvas column
 * @param {number} count of the taps
 * @param {Int32Array} line filled from `from` to `to`
 * @param {number} from
 * @param {number} to
 */
function sum(samples, start, places, weights, count, line, from, to) {
  const [a, b, c, d] = places;
  const [ofA, ofB, ofC, ofD] = weights;
  if (count <= 2)
    for (let x = from; x < to; x++) line[x] = samples[start + a[x]] * ofA[x] + samples[start + b[x]] * ofB[x];
  else if (count === 3)
    for (let x = from; x < to; x++)
      line[x] = samples[start + a[x]] * ofA[x] + samples[start + b[x]] * ofB[x] + samples[start + c[x]] * ofC[x];
  else
    for (let x = from; x < to; x++)
      line[x] =
        samples[start + a[x]] * ofA[x] +
        samples[start + b[x]] * ofB[x] +
        samples[start + c[x]] * ofC[x] +
        samples[start + d[x]] * ofD[x];
}

/**
 * @param {Int32Array[]} lines
 * @param {number[]} shares of the lines, out of WEIGHTS
 * @param {Uint16Array} levels
 * @param {number} o start of the row in `levels`
 * @param {number} from
 * @param {number} to
 */
function mix([a, b, c, d], [ofA, ofB, ofC, ofD], levels, o, from, to) {
  if (ofC === 0 && ofD === 0)
    for (let x = from; x < to; x++) levels[o + x] = (a[x] * ofA + b[x] * ofB + ROUND) >> SHIFT;
  else if (ofD === 0)
    for (let x = from; x < to; x++) levels[o + x] = (a[x] * ofA + b[x] * ofB + c[x] * ofC + ROUND) >> SHIFT;
  else
    for (let x = from; x < to; x++)
      levels[o + x] = (a[x] * ofA + b[x] * ofB + c[x] * ofC + d[x] * ofD + ROUND) >> SHIFT;
}

/**
 * @param {Axis} axis
 * @param {number} tap
 * @param {number} factor
 */
function offsets({ taps, to, size }, tap, factor) {
  const values = new Int32Array(to);
  for (let pixel = 0; pixel < to; pixel++) values[pixel] = Math.min(size - 1, taps[4 * pixel] + tap) * factor;
  return values;
}

/**
 * @param {Axis} axis
 * @param {number} tap
 */
function weightsOf({ taps, to }, tap) {
  const values = new Int32Array(to);
  for (let pixel = 0; pixel < to; pixel++) {
    const [, first, second, third] = taps.subarray(4 * pixel, 4 * pixel + 4);
    values[pixel] = [first, second, third, WEIGHTS - first - second - third][tap];
  }
  return values;
}
