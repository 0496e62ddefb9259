// Whether the screen is large enough to show a mammogram at all. The display check judges the rest.

const SMALLEST = 600; // CSS pixels of the shorter side

export function isScreenTooSmall() {
  const isTouch = matchMedia("(pointer: coarse)").matches;
  return (
    Math.min(screen.width, screen.height) < SMALLEST || (isTouch && Math.min(innerWidth, innerHeight) < SMALLEST)
  );
}
