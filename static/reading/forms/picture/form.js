// Still pictures: one, or the three linked ones of a triptych.

import { find } from "../../dom.js";
import { KEYS } from "./keys.js";
import { Panels } from "./panels.js";
import { PictureTools } from "./picture_tools.js";
import { connectWindowReadout } from "./window_readout.js";
import { connectZoomBadge } from "./zoom_badge.js";

/** @type {import("../form.js").Form<import("./layer.js").Picture>} */
export const form = {
  keys: KEYS,
  open(root) {
    const panels = new Panels(root);
    connectZoomBadge(find("[data-badge]", HTMLElement, root), panels);
    connectWindowReadout(find("[data-readout]", HTMLElement, root), panels.windowLevel);
    return { stage: panels, tools: new PictureTools(panels) };
  },
};
