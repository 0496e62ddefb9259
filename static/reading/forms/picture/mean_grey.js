// The mean luminance of what a canvas shows, as one grey: what the eye that looked at it is adapted to.

import { isShut } from "./shutter.js";
import { pointOf } from "./viewport.js";

/** @import { Layer } from "./layer.js" */
/** @import { Placement, Size } from "./viewport.js" */

const POINTS = 128; // looked at along each side of the canvas
const WEIGHTS = [0.2126, 0.7152, 0.0722]; // of red, green and blue (IEC 61966-2-1)
const LUMINANCE = Float64Array.from({ length: 256 }, (_, byte) => linear(byte / 255));

/**
 * Return the grey, from 0 to 255, that is as bright as a layer on a canvas, or a little darker. The canvas beside the
 * picture is black.
 * @param {Size} canvas
 * @param {Placement} placement of the layer's picture
 * @param {Layer} layer
 */
export function meanGrey(canvas, placement, { picture, shutter, colours: { table } }) {
  if (!picture) return 0;
  const { width, height, samples } = picture;
  let sum = 0;
  for (let row = 0; row < POINTS; row++)
    for (let column = 0; column < POINTS; column++) {
      const across = ((column + 0.5) / POINTS) * canvas.width;
      const [x, y] = pointOf(placement, across, ((row + 0.5) / POINTS) * canvas.height);
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      const [atX, atY] = [Math.floor(x), Math.floor(y)];
      if (!shutter || !isShut(shutter, atX, atY)) sum += luminanceOf(table[samples[atY * width + atX]]);
    }
  return darkest(sum / POINTS ** 2);
}

/** @param {number} colour blue, green, red from the third byte down */
const luminanceOf = (colour) =>
  WEIGHTS.reduce((sum, weight, i) => sum + weight * LUMINANCE[(colour >>> (8 * i)) & 255], 0);

/**
 * Return the brightest grey that is not brighter than this.
 * @param {number} luminance
 */
function darkest(luminance) {
  let grey = 0;
  while (grey < 255 && LUMINANCE[grey + 1] <= luminance) grey++;
  return grey;
}

/**
 * Return the luminance of a share of the signal (IEC 61966-2-1).
 * @param {number} share
 */
function linear(share) {
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}
