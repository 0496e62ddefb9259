// What only a triptych has.

import { differenceColour } from "./tone.js";

/**
 * The colours of a difference and what their ends stand for.
 * @param {HTMLElement} legend
 * @param {import("./tone.js").DifferenceTone} tone
 */
export function keepLegend(legend, tone) {
  const scale = legend.querySelector("canvas");
  const context = scale.getContext("2d");
  for (let i = 0; i < scale.width; i++) {
    context.fillStyle = `rgb(${differenceColour((2 * i) / (scale.width - 1) - 1).join(" ")})`;
    context.fillRect(i, 0, 1, scale.height);
  }
  const percent = new Intl.NumberFormat(document.documentElement.lang, {
    style: "percent",
    maximumSignificantDigits: 2,
    signDisplay: "exceptZero",
  });
  tone.addEventListener("change", () => {
    legend.querySelector("[data-lowest]").textContent = percent.format(-tone.share);
    legend.querySelector("[data-highest]").textContent = percent.format(tone.share);
  });
}
