// The outline of what was altered, drawn over both images of a triptych: a picture of lines, found in the difference.

import { ColourTable, packed } from "./window_level.js";

const NO_CHANGE = 32768;
const SHARE = 0.25; // of the strongest change: weaker ones are outside
const BLOCKS = 160; // along the longer side; a line follows their edges, one block away from the change
const LINES = 600; // lines beside each other would fill the longer side: they stay visible in a reduced image
const YELLOW = [240, 228, 66]; // distinct from both colours of the difference with any colour blindness

/** @import { GreyImage } from "../../decoding/png16.js" */
/** @typedef {{columns: number, rows: number, size: number, values: Uint8Array}} Blocks `size` in pixels */

/**
 * Return a picture whose samples are 65535 on the outlines and 0 elsewhere.
 * @param {GreyImage} difference stored as 32768 + difference / 2
 * @param {number} strongest change in it, as it is stored; 0: none, and no outline
 * @returns {GreyImage}
 */
export function outlineOfChange(difference, strongest) {
  const { width, height } = difference;
  const lines = { width, height, samples: new Uint16Array(width * height) };
  if (strongest === 0) return lines;
  const inside = widened(changedBlocks(difference, SHARE * strongest));
  const thickness = Math.max(1, Math.round(Math.max(width, height) / LINES));
  const { columns, rows, size } = inside;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      if (!isSet(inside, column, row)) continue;
      const [left, top, right, bottom] = [column * size, row * size, (column + 1) * size, (row + 1) * size];
      if (!isSet(inside, column - 1, row)) draw(lines, left, top, left + thickness, bottom);
      if (!isSet(inside, column + 1, row)) draw(lines, right - thickness, top, right, bottom);
      if (!isSet(inside, column, row - 1)) draw(lines, left, top, right, top + thickness);
      if (!isSet(inside, column, row + 1)) draw(lines, left, bottom - thickness, right, bottom);
    }
  return lines;
}

/** Nothing but the lines, in a colour that no image has. */
export class LineColours extends ColourTable {
  /**
   * A line must not vanish in a reduced image.
   * @type {ColourTable["levelOfFour"]}
   */
  levelOfFour = (a, b, c, d) => Math.max(a, b, c, d);

  /** @param {Uint32Array} table */
  fill(table) {
    const colour = packed(YELLOW);
    for (let v = 0; v < 65536; v++) table[v] = ((v >> 8) << 24) | colour;
  }
}

/**
 * @param {GreyImage} difference
 * @param {number} least change
 * @returns {Blocks}
 */
function changedBlocks({ width, height, samples }, least) {
  const size = Math.max(2, Math.ceil(Math.max(width, height) / BLOCKS));
  const [columns, rows] = [Math.ceil(width / size), Math.ceil(height / size)];
  const values = new Uint8Array(columns * rows);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.floor(y / size) * columns;
    for (let x = 0; x < width; x++, i++)
      if (Math.abs(samples[i] - NO_CHANGE) >= least) values[row + Math.floor(x / size)] = 1;
  }
  return { columns, rows, size, values };
}

/**
 * Return the blocks with all their neighbours.
 * @param {Blocks} blocks
 * @returns {Blocks}
 */
function widened(blocks) {
  const values = blocks.values.map((_, i) => {
    const [column, row] = [i % blocks.columns, Math.floor(i / blocks.columns)];
    for (let y = row - 1; y <= row + 1; y++)
      for (let x = column - 1; x <= column + 1; x++) if (isSet(blocks, x, y)) return 1;
    return 0;
  });
  return { ...blocks, values };
}

/**
 * @param {Blocks} blocks
 * @param {number} column
 * @param {number} row
 */
function isSet({ columns, rows, values }, column, row) {
  return column >= 0 && row >= 0 && column < columns && row < rows && values[row * columns + column] === 1;
}

/**
 * @param {GreyImage} lines
 * @param {number} left
 * @param {number} top
 * @param {number} right one after the last column
 * @param {number} bottom one after the last row
 */
function draw({ width, height, samples }, left, top, right, bottom) {
  for (let y = top; y < Math.min(bottom, height); y++)
    samples.fill(65535, y * width + left, y * width + Math.min(right, width));
}
