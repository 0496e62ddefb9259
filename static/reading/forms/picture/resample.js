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
  const { columns, rows, isTurned, isSmooth } = sampling;
  const [perColumn, perRow] = isTurned ? [width, 1] : [1, width];
  const fill = isSmooth ? interpolate : copy;
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
 * Interpolate between four samples.
 * @type {typeof copy}
 */
function interpolate(samples, columns, rows, perColumn, perRow, levels, stride) {
  const { from, to } = columns;
  const first = offsets(columns, 0, perColumn);
  const second = offsets(columns, 1, perColumn);
  const weight = offsets(columns, 2, 1);
  /** @type {(row: number, line: Int32Array) => void} */
  const blend = (row, line) => {
    const start = row * perRow;
    for (let x = from; x < to; x++)
      line[x] = samples[start + first[x]] * (WEIGHTS - weight[x]) + samples[start + second[x]] * weight[x];
  };
  let above = { row: -1, line: new Int32Array(to) };
  let below = { row: -1, line: new Int32Array(to) };
  for (let y = rows.from; y < rows.to; y++) {
    const [upper, lower, share] = rows.taps.subarray(4 * y, 4 * y + 3);
    // Rows follow one another, up or down: each is blended once and used for all canvas rows that it touches.
    if (above.row !== upper && (below.row === upper || above.row === lower)) [above, below] = [below, above];
    if (above.row !== upper) blend((above.row = upper), above.line);
    if (below.row !== lower) blend((below.row = lower), below.line);
    mix(above.line, below.line, share, levels, y * stride, from, to);
  }
}

/**
 * @param {Int32Array} above
 * @param {Int32Array} below
 * @param {number} share of `below`, out of WEIGHTS
 * @param {Uint16Array} levels
 * @param {number} o start of the row in `levels`
 * @param {number} from
 * @param {number} to
 */
function mix(above, below, share, levels, o, from, to) {
  const rest = WEIGHTS - share;
  for (let x = from; x < to; x++) levels[o + x] = (above[x] * rest + below[x] * share + ROUND) >> SHIFT;
}

/**
 * @param {Axis} axis
 * @param {number} tap
 * @param {number} factor
 */
function offsets({ taps, to }, tap, factor) {
  const values = new Int32Array(to);
  for (let pixel = 0; pixel < to; pixel++) values[pixel] = taps[4 * pixel + tap] * factor;
  return values;
}
