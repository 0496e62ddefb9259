// The badge beside the title: how the picture on screen differs from the stored one.

import { data } from "../../dom.js";
import { scaleOf } from "./sampling.js";

/**
 * Show the zoom and the turns of a viewport whenever they change.
 * @param {HTMLElement} badge has its texts as data: one-to-one, interpolated, doubled, flipped, rotated
 * @param {import("./viewport.js").Viewport} viewport
 */
export function connectZoomBadge(badge, viewport) {
  const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
  const scales = {
    one_to_one: data(badge, "oneToOne"),
    interpolated: data(badge, "interpolated"),
    doubled: data(badge, "doubled"),
  };
  viewport.addEventListener("change", () => {
    const { flipped, rotated } = viewport.turned;
    const parts = [scales[scaleOf(viewport.zoom)].replace("{zoom}", percent.format(viewport.zoom))];
    if (flipped) parts.push(data(badge, "flipped"));
    if (rotated) parts.push(data(badge, "rotated").replace("{degrees}", String(rotated)));
    badge.textContent = parts.join(", ");
  });
}
