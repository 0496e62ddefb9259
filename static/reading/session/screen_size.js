// Whether the screen is large enough to show the images at all. The display check judges the rest.

/** @param {number} least CSS pixels of the shorter side */
export function isScreenTooSmall(least) {
  const isTouch = matchMedia("(pointer: coarse)").matches;
  return Math.min(screen.width, screen.height) < least || (isTouch && Math.min(innerWidth, innerHeight) < least);
}
