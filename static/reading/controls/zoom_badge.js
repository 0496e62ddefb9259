// The quiet badge: how what is shown differs from the picture itself, in words.

import { scaleOf } from "../viewer/sampling.js";

/**
 * @param {HTMLElement} badge carries its words: data-one-to-one, data-interpolated, data-doubled, data-flipped,
 *   data-rotated
 * @param {import("../viewer/viewport.js").View} view
 */
export function keepBadge(badge, view) {
  const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
  const words = badge.dataset;
  const scale = {
    one_to_one: words.oneToOne,
    interpolated: words.interpolated,
    doubled: words.doubled,
  };
  view.addEventListener("change", () => {
    const { flipped, rotated } = view.turned;
    const parts = [scale[scaleOf(view.zoom)].replace("{zoom}", percent.format(view.zoom))];
    if (flipped) parts.push(words.flipped);
    if (rotated) parts.push(words.rotated.replace("{degrees}", rotated));
    badge.textContent = parts.join(", ");
  });
}
