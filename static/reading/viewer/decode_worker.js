// A module worker that fetches and decodes images, so that the page never stalls.

import { greyPercentiles } from "./grey_percentiles.js";
import { decodePng16 } from "./png16.js";

// A server that accepts the request and stays silent must not hold up the reading; the page then asks again.
const TIMEOUT_MS = 120_000;

/** The scope of a worker; the types of the page's own scope do not fit. */
const scope =
  /** @type {{postMessage: (message: object, transfer?: Transferable[]) => void, onmessage: unknown}} */ (
    /** @type {unknown} */ (self)
  );

/** @param {MessageEvent<{id: number, url: string}>} event */
scope.onmessage = async ({ data: { id, url } }) => {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { cache: "no-store", credentials: "same-origin", redirect: "manual", signal });
    if (!response.ok)
      return scope.postMessage({ id, status: response.type === "opaqueredirect" ? 403 : response.status });
    const bytes = await response.arrayBuffer();
    let image;
    try {
      image = await decodePng16(bytes);
    } catch (error) {
      console.error(error);
      return scope.postMessage({ id, status: 422 });
    }
    const picture = { ...image, levels: greyPercentiles(image.samples) };
    scope.postMessage({ id, picture }, [image.samples.buffer]);
  } catch {
    scope.postMessage({ id, status: 0 }); // no response
  }
};
