// Still pictures: one, or the three linked ones of a triptych.

import { data, find } from "../../dom.js";
import { KEYS } from "./keys.js";
import { Panels } from "./panels.js";
import { PictureTools } from "./picture_tools.js";
import { connectScaleBar } from "./scale_bar.js";
import { connectWindowReadout } from "./window_readout.js";
import { connectZoomBadge } from "./zoom_badge.js";

/** @type {import("../form.js").Form<import("./layer.js").Picture>} */
export const form = {
  keys: KEYS,
  open(root, { pixelsPerMm }) {
    const panels = new Panels(root);
    connectZoomBadge(find("[data-badge]", HTMLElement, root), panels);
    connectWindowReadout(find("[data-readout]", HTMLElement, root), panels.windowLevel);
    const bar = root.querySelector("[data-scale-bar]");
    const mmPerPixel = bar instanceof HTMLElement ? Number(data(bar, "scaleBar")) : 0;
    if (bar instanceof HTMLElement) connectScaleBar(bar, panels, mmPerPixel);
    return { stage: panels, tools: new PictureTools(panels, () => mmPerPixel * (pixelsPerMm() ?? 0)) };
  },
};
