// The worker that decodes pictures and finds the percentiles for their windows and their outlines.

import { decodePng16 } from "../../decoding/png16.js";
import { serve } from "../../decoding/serve.js";
import { greyPercentiles } from "./grey_percentiles.js";
import { outlineOf } from "./outline.js";

serve(async (bytes) => {
  const image = await decodePng16(bytes);
  const found = { levels: greyPercentiles(image.samples), outline: outlineOf(image) };
  return { image: { ...image, ...found }, transfer: [image.samples.buffer] };
});
