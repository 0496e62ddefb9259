// Whether this device can show a mammogram at all. The display check judges the rest.

const LEAST = 600; // CSS pixels of the smaller side

export function isTooSmall() {
  const isTouch = matchMedia("(pointer: coarse)").matches;
  return Math.min(screen.width, screen.height) < LEAST || (isTouch && Math.min(innerWidth, innerHeight) < LEAST);
}
