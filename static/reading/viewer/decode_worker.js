// Fetches and decodes pictures beside the page, so that the page never stalls. Module worker.

import { measureLevels } from "./grey_percentiles.js";
import { decodePng16 } from "./png16.js";

// A server that takes the request and stays silent must not hold the reading up for ever; then it is asked again.
const LONGEST_FETCH_MS = 120_000;

onmessage = async ({ data: { id, url } }) => {
  try {
    const signal = AbortSignal.timeout(LONGEST_FETCH_MS);
    const reply = await fetch(url, { cache: "no-store", credentials: "same-origin", redirect: "manual", signal });
    if (!reply.ok) return postMessage({ id, status: reply.type === "opaqueredirect" ? 403 : reply.status });
    const bytes = await reply.arrayBuffer();
    let picture;
    try {
      picture = await decodePng16(bytes);
    } catch (trouble) {
      console.error(trouble);
      return postMessage({ id, status: 422 });
    }
    picture.levels = measureLevels(picture.samples);
    postMessage({ id, picture }, [picture.samples.buffer]);
  } catch {
    postMessage({ id, status: 0 }); // no answer at all: the network
  }
};
