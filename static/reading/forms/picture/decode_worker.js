// The worker that decodes pictures and finds the percentiles from which their windows are computed.

import { decodePng16 } from "../../decoding/png16.js";
import { serve } from "../../decoding/serve.js";
import { greyPercentiles } from "./grey_percentiles.js";

serve(async (bytes) => {
  const image = await decodePng16(bytes);
  return { image: { ...image, levels: greyPercentiles(image.samples) }, transfer: [image.samples.buffer] };
});
