// Where in a picture something was imaged, and on which side it is cut off. Found from the pixels alone and by one rule
// for all pictures: the server says nothing about a picture.

const SMALLEST = 24; // blocks of a side; a smaller picture has no outline
const BLOCK = 4; // pixels of a side: the noise of single pixels does not count
const ABOVE_AIR = 0.03; // of the range from air to the brightest hundredth: more than that is not air
const BRIGHT = 0.99;
const NOISE = 6; // times the median deviation of the air
const MARGIN = 0.015; // of the height, so that faint skin is inside
const LEAST = 0.03; // of the picture; less than that is no object, more than MOST has no air around it
const MOST = 0.95;
const AT_EDGE = 0.1; // of the width: what begins within this is cut off there

/** @typedef {import("../../decoding/png16.js").GreyImage} GreyImage */
/** @typedef {"left" | "right"} Side */

/**
 * @typedef {object} Outline
 * @property {Uint16Array} spans the first column of each row, and one after the last; equal in rows without the object
 * @property {Side | null} side on which the object is cut off; null: on none or on both
 */

/**
 * Return the outline of the largest object in front of a dark background; null if there is none.
 * @param {GreyImage} picture
 * @returns {Outline | null}
 */
export function outlineOf(picture) {
  const grid = blockMeans(picture);
  if (Math.min(grid.columns, grid.rows) < SMALLEST) return null;
  const object = largestObject(grid, airLimit(grid));
  const share = object.size / grid.values.length;
  if (share < LEAST || share > MOST) return null;
  const spans = spansOf(object.blocks, grid);
  return { spans: widened(spans, grid, picture), side: sideOf(spans, grid) };
}

/** @typedef {{columns: number, rows: number, values: Float32Array}} Grid */

/**
 * @param {GreyImage} picture
 * @returns {Grid} the mean of each square block; a last part of a block is left out
 */
function blockMeans({ width, height, samples }) {
  const columns = Math.floor(width / BLOCK);
  const rows = Math.floor(height / BLOCK);
  const values = new Float32Array(columns * rows);
  for (let row = 0; row < rows * BLOCK; row++) {
    const start = Math.floor(row / BLOCK) * columns;
    for (let i = row * width, column = 0; column < columns; column++, i += BLOCK)
      values[start + column] += samples[i] + samples[i + 1] + samples[i + 2] + samples[i + 3];
  }
  for (let i = 0; i < values.length; i++) values[i] /= BLOCK * BLOCK;
  return { columns, rows, values };
}

/**
 * Return the level up to which a block is air: the darkest of the four borders shows air nearly always.
 * @param {Grid} grid
 */
function airLimit({ columns, rows, values }) {
  /** @type {(count: number, at: (i: number) => number) => Float32Array} */
  const border = (count, at) => Float32Array.from({ length: count }, (_, i) => values[at(i)]).sort();
  const borders = [
    border(columns, (i) => i),
    border(columns, (i) => (rows - 1) * columns + i),
    border(rows, (i) => i * columns),
    border(rows, (i) => (i + 1) * columns - 1),
  ];
  const darkest = borders.reduce((one, other) => (middle(other) < middle(one) ? other : one));
  const air = middle(darkest);
  const noise = middle(darkest.map((value) => Math.abs(value - air)).sort());
  const bright = Float32Array.from(values).sort()[Math.floor(BRIGHT * (values.length - 1))];
  return air + Math.max(NOISE * noise, ABOVE_AIR * (bright - air));
}

/** @param {Float32Array} sorted */
const middle = (sorted) => sorted[sorted.length >> 1];

/**
 * Return the largest set of connected blocks above a limit.
 * @param {Grid} grid
 * @param {number} limit
 */
function largestObject({ columns, values }, limit) {
  const object = new Int32Array(values.length); // 0: none, else the number of the object
  const stack = new Int32Array(values.length);
  let best = { number: 0, size: 0 };
  for (let first = 0, number = 0; first < values.length; first++) {
    if (object[first] || values[first] <= limit) continue;
    object[first] = ++number;
    let size = 0;
    let depth = 0;
    stack[depth++] = first;
    while (depth) {
      const i = stack[--depth];
      size++;
      const column = i % columns;
      const near = [i - columns, i + columns, column ? i - 1 : -1, column < columns - 1 ? i + 1 : -1];
      for (const next of near)
        if (next >= 0 && next < values.length && !object[next] && values[next] > limit) {
          object[next] = number;
          stack[depth++] = next;
        }
    }
    if (size > best.size) best = { number, size };
  }
  return { blocks: object.map((number) => Number(number === best.number && number > 0)), size: best.size };
}

/**
 * Return the first block of each row, and one after the last.
 * @param {Int32Array} blocks 1 in the object
 * @param {Grid} grid
 */
function spansOf(blocks, { columns, rows }) {
  const spans = new Uint16Array(2 * rows);
  for (let row = 0; row < rows; row++) {
    const line = blocks.subarray(row * columns, (row + 1) * columns);
    const first = line.indexOf(1);
    spans.set(first < 0 ? [0, 0] : [first, line.lastIndexOf(1) + 1], 2 * row);
  }
  return spans;
}

/**
 * Return the spans in pixels, with a margin on all sides.
 * @param {Uint16Array} spans of blocks
 * @param {Grid} grid
 * @param {{width: number, height: number}} picture
 */
function widened(spans, { columns, rows }, { width, height }) {
  const margin = Math.ceil(MARGIN * rows);
  const wide = new Uint16Array(2 * height);
  for (let y = 0; y < height; y++) {
    const row = Math.min(rows - 1, Math.floor(y / BLOCK));
    let from = columns;
    let to = 0;
    for (let near = Math.max(0, row - margin); near <= Math.min(rows - 1, row + margin); near++) {
      if (spans[2 * near] === spans[2 * near + 1]) continue;
      from = Math.min(from, spans[2 * near]);
      to = Math.max(to, spans[2 * near + 1]);
    }
    if (from >= to) continue;
    wide[2 * y] = BLOCK * Math.max(0, from - margin);
    wide[2 * y + 1] = to + margin >= columns ? width : BLOCK * (to + margin);
  }
  return wide;
}

/**
 * @param {Uint16Array} spans of blocks
 * @param {Grid} grid
 * @returns {Side | null}
 */
function sideOf(spans, { columns, rows }) {
  const gaps = { left: /** @type {number[]} */ ([]), right: /** @type {number[]} */ ([]) };
  for (let row = 0; row < rows; row++) {
    if (spans[2 * row] === spans[2 * row + 1]) continue;
    gaps.left.push(spans[2 * row]);
    gaps.right.push(columns - spans[2 * row + 1]);
  }
  const [left, right] = [gaps.left, gaps.right].map((gap) => middle(Float32Array.from(gap).sort()) / columns);
  if (left < AT_EDGE && right > left + AT_EDGE) return "left";
  return right < AT_EDGE && left > right + AT_EDGE ? "right" : null;
}
