// How a picture's pixels become screen pixels at each zoom; the same for every surface.

/** From this zoom on one wants to see the pixels: each is a square. Below, but for 1:1, colours are interpolated. */
export const SMOOTH_UNTIL = 4;

/** Below this zoom grey pictures are drawn from a copy of half the size, each level the mean of four. */
export const HALF_BELOW = 0.5;

/** @returns {"one_to_one" | "interpolated" | "doubled"} */
export function scaleOf(zoom) {
  if (zoom === 1) return "one_to_one";
  return zoom < SMOOTH_UNTIL ? "interpolated" : "doubled";
}
