// How far the reader moved window and level from the preset, shown while they move. Not the levels themselves: those of
// the standard window are percentiles of the image and would be a measurement of what is to be judged by eye.

import { data } from "../../dom.js";

const SHOWN_MS = 1500; // after the last movement

/**
 * @param {HTMLElement} element has its text as data
 * @param {import("./window_level.js").WindowLevel} windowLevel
 */
export function connectWindowReadout(element, windowLevel) {
  const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent", signDisplay: "exceptZero" });
  // A hyphen is too short for a minus sign.
  const shown = (/** @type {number} */ share) => percent.format(share).replace("-", "−");
  let timer = 0;
  const hide = () => {
    clearTimeout(timer);
    element.hidden = true;
  };
  windowLevel.addEventListener("change", () => {
    hide();
    if (windowLevel.preset) return;
    const { level, width } = windowLevel.adjusted;
    const text = data(element, "text");
    element.textContent = text.replace("{width}", shown(width)).replace("{level}", shown(level));
    element.hidden = false;
    timer = setTimeout(hide, SHOWN_MS);
  });
}
