// Whether the screen is large enough to show the images at all. The display check judges the rest.

import { find } from "../dom.js";

/** @param {number} least CSS pixels of the shorter side */
export function isScreenTooSmall(least) {
  const isTouch = matchMedia("(pointer: coarse)").matches;
  const isSmall = Math.min(screen.width, screen.height) < least;
  const isEnlarged = isSmall && !isTouch && Math.min(screen.width, screen.height) * devicePixelRatio >= least;
  if (isEnlarged) showEnlargement();
  return isSmall || (isTouch && Math.min(innerWidth, innerHeight) < least);
}

/** Name the cause: a large monitor whose pixels are drawn enlarged. */
function showEnlargement() {
  const text = find("#small-scaled", HTMLElement);
  const factor = new Intl.NumberFormat(document.documentElement.lang).format(devicePixelRatio);
  text.textContent = (text.textContent ?? "").replace("{factor}", factor);
  text.hidden = false;
}
