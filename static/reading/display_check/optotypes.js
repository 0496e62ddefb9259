// The figures of the display check: letters and squares that differ from their background by a few grey levels.

import { context2d } from "../dom.js";

// Consonants that are not mistaken for each other, after Sloan's optotypes.
const LETTERS = "CDHKNRSVZ";

/**
 * Return different letters in random order, so that nobody can learn them.
 * @param {number} count
 */
export function randomLetters(count) {
  const left = [...LETTERS];
  return Array.from({ length: count }, () => left.splice(randomBelow(left.length), 1)[0]).join("");
}

/**
 * Draw letters in device pixels, the one with the highest contrast first.
 * @param {HTMLCanvasElement} canvas
 * @param {string} text
 * @param {number} level of the background, 0 to 255
 * @param {number[]} contrasts levels by which the letters differ from it
 */
export function drawLetters(canvas, text, level, contrasts) {
  const { context, width, height } = prepared(canvas, level);
  // On a bright background the letters are darker.
  const sign = level > 191 ? -1 : 1;
  context.font = `600 ${Math.round(height * 0.55)}px sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  [...text].forEach((letter, i) => {
    context.fillStyle = grey(level + sign * contrasts[i]);
    context.fillText(letter, (width * (i + 0.5)) / text.length, height * 0.52);
  });
}

/** The quarters of a field in which a square can lie: across and down, as shares of its sides. */
export const QUARTERS = /** @type {const} */ ({
  "top-left": [0.25, 0.25],
  "top-right": [0.75, 0.25],
  "bottom-left": [0.25, 0.75],
  "bottom-right": [0.75, 0.75],
});
/** @typedef {keyof typeof QUARTERS} Quarter */

/** Return one of the quarters, so that who sees nothing can only guess. */
export function randomQuarter() {
  const names = /** @type {Quarter[]} */ (Object.keys(QUARTERS));
  return names[randomBelow(names.length)];
}

/**
 * Draw a square in the middle of a quarter of its background.
 * @param {HTMLCanvasElement} canvas
 * @param {[number, number]} levels of the background and of the square
 * @param {Quarter} quarter
 */
export function drawSquare(canvas, [background, square], quarter) {
  const { context, width, height } = prepared(canvas, background);
  const side = Math.round(height * 0.3);
  const [across, down] = QUARTERS[quarter];
  context.fillStyle = grey(square);
  context.fillRect(Math.round(width * across - side / 2), Math.round(height * down - side / 2), side, side);
}

/**
 * Set the canvas to its size on screen and fill it.
 * @param {HTMLCanvasElement} canvas
 * @param {number} level
 */
function prepared(canvas, level) {
  const box = canvas.getBoundingClientRect();
  const width = (canvas.width = Math.round(box.width * devicePixelRatio));
  const height = (canvas.height = Math.round(box.height * devicePixelRatio));
  const context = context2d(canvas);
  context.fillStyle = grey(level);
  context.fillRect(0, 0, width, height);
  return { context, width, height };
}

/** @param {number} level */
const grey = (level) => `rgb(${level} ${level} ${level})`;

/** @param {number} count */
function randomBelow(count) {
  return Math.floor((crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32) * count);
}
