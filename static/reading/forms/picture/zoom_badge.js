// The badge beside the title: how the picture on screen differs from the stored one.

import { data } from "../../dom.js";
import { isSquareAt } from "./sampling.js";

/**
 * Show the zoom and the turns of the panels whenever they change.
 * @param {HTMLElement} badge has its texts as data: one-to-one, reduced, enlarged, squares, not-exact, flipped, rotated
 * @param {import("./panels.js").Panels} panels
 */
export function connectZoomBadge(badge, panels) {
  const { viewport } = panels;
  const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
  const texts = {
    one_to_one: data(badge, "oneToOne"),
    reduced: data(badge, "reduced"),
    enlarged: data(badge, "enlarged"),
    not_exact: data(badge, "notExact"),
  };
  const show = () => {
    const { flipped, rotated } = viewport.turned;
    const isSquares = panels.scale === "enlarged" && isSquareAt(viewport.zoom);
    const text = isSquares ? data(badge, "squares") : texts[panels.scale];
    const parts = [text.replace("{zoom}", percent.format(viewport.zoom))];
    if (flipped) parts.push(data(badge, "flipped"));
    if (rotated) parts.push(data(badge, "rotated").replace("{degrees}", String(rotated)));
    badge.textContent = parts.join(", ");
    badge.title = badge.textContent;
  };
  viewport.addEventListener("change", show);
  window.visualViewport?.addEventListener("resize", show);
}
