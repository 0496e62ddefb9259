// How a picture's pixels become screen pixels at each zoom: worked out once, here, and followed by every surface to
// the last bit, so that the same view of the same picture is the same on every machine.

/** From this zoom on one wants to see the pixels: each is a square. Below, but for 1:1, levels are interpolated. */
const SMOOTH_UNTIL = 4;

/** Weights are whole numbers out of this: 16 bits of level and twice 7 of weight stay within 31 bits. */
export const WEIGHTS = 128;

/** @returns {"one_to_one" | "interpolated" | "doubled"} */
export function scaleOf(zoom) {
  if (zoom === 1) return "one_to_one";
  return zoom < SMOOTH_UNTIL ? "interpolated" : "doubled";
}

/** @returns {number} how many times the picture is halved before it is drawn: interpolation alone would skip pixels */
export function halvingsAt(zoom) {
  if (zoom >= 0.5) return 0;
  return zoom >= 0.25 ? 1 : 2;
}

/**
 * Which pixels of a picture each column and each row of a canvas takes, and how much of each.
 * @param {ReturnType<import("./viewport.js").View["place"]>} place
 * @param {{width: number, height: number}} canvas
 * @param {{width: number, height: number}} picture halved `halvings` times
 * @param {number} halvings
 */
export function samplingOf(place, canvas, picture, halvings) {
  const [a, b, c, d] = place.orientation;
  const zoom = place.zoom * 2 ** halvings;
  const isSmooth = !place.isSquare && scaleOf(place.zoom) === "interpolated";
  const along = (length, origin, ofX, ofY) =>
    axis(length, origin, (ofX + ofY) / zoom, ofX ? picture.width : picture.height, isSmooth);
  const columns = along(canvas.width, place.x, a, c);
  const rows = along(canvas.height, place.y, b, d);
  return { columns, rows, isTurned: a === 0, isSmooth };
}

/**
 * @returns {{from: number, to: number, taps: Uint16Array}} the part of the canvas on which the picture lies, and for
 *   each of its places: first pixel, second pixel, weight of the second, 0
 */
function axis(length, origin, step, size, isSmooth) {
  const taps = new Uint16Array(4 * length);
  let from = length;
  let to = 0;
  for (let place = 0; place < length; place++) {
    const at = (place + 0.5 - origin) * step;
    if (at < 0 || at >= size) continue;
    from = Math.min(from, place);
    to = place + 1;
    const first = Math.floor(isSmooth ? at - 0.5 : at);
    taps[4 * place] = Math.max(0, first);
    taps[4 * place + 1] = isSmooth ? Math.min(size - 1, first + 1) : first;
    taps[4 * place + 2] = isSmooth ? Math.round((at - 0.5 - first) * WEIGHTS) : 0;
  }
  return { from: Math.min(from, to), to, taps };
}
