// A picture's levels at the places of a canvas's pixels, in integers, as sampling tells.

import { WEIGHTS } from "./sampling.js";

const ROUND = (WEIGHTS * WEIGHTS) / 2;
const SHIFT = 2 * Math.log2(WEIGHTS);

/**
 * @param {{width: number, samples: Uint16Array}} picture
 * @param {ReturnType<import("./sampling.js").samplingOf>} sampling
 * @param {Uint16Array} levels filled, `stride` to a row, where the picture lies
 */
export function resample({ width, samples }, sampling, levels, stride) {
  const { columns, rows, isTurned, isSmooth } = sampling;
  const [perColumn, perRow] = isTurned ? [width, 1] : [1, width];
  const line = isSmooth ? blended : picked;
  line(samples, columns, rows, perColumn, perRow, levels, stride);
}

function picked(samples, columns, rows, perColumn, perRow, levels, stride) {
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

function blended(samples, columns, rows, perColumn, perRow, levels, stride) {
  const { from, to } = columns;
  const first = offsets(columns, 0, perColumn);
  const second = offsets(columns, 1, perColumn);
  const weight = offsets(columns, 2, 1);
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

function mix(above, below, share, levels, o, from, to) {
  const rest = WEIGHTS - share;
  for (let x = from; x < to; x++) levels[o + x] = (above[x] * rest + below[x] * share + ROUND) >> SHIFT;
}

function offsets({ taps, to }, which, per) {
  const found = new Int32Array(to);
  for (let place = 0; place < to; place++) found[place] = taps[4 * place + which] * per;
  return found;
}
