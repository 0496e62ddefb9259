// A line of known length below the picture, if the distance of its pixels is known.

import { data, find } from "../../dom.js";

const LENGTHS_MM = [1, 2, 5, 10, 20, 50, 100];
const LONGEST = 160; // CSS pixels

/**
 * Keep the bar as long as a round length in the picture.
 * @param {HTMLElement} element has its text as data, and contains a [data-line] and a [data-length]
 * @param {import("./panels.js").Panels} panels
 * @param {number} mmPerPixel of the picture
 */
export function connectScaleBar(element, panels, mmPerPixel) {
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const line = find("[data-line]", HTMLElement, element);
  const label = find("[data-length]", HTMLElement, element);
  const show = () => {
    const perMm = panels.viewport.zoom / mmPerPixel / panels.devicePixels;
    const fitting = LENGTHS_MM.filter((length) => length * perMm <= LONGEST);
    const length = fitting[fitting.length - 1];
    element.hidden = !length || !panels.hasImages;
    if (element.hidden) return;
    line.style.width = `${length * perMm}px`;
    label.textContent = data(element, "text").replace("{length}", number.format(length));
  };
  panels.addEventListener("drawn", show);
}
