// What every worker that decodes images does: fetch a file, decode it, answer. So the page never stalls.

// A server that accepts the request and stays silent must not hold up the reading; the page then asks again.
const TIMEOUT_MS = 120_000;

/** The scope of a worker; the types of the page's own scope do not fit. */
const scope =
  /** @type {{postMessage: (message: object, transfer?: Transferable[]) => void, onmessage: unknown}} */ (
    /** @type {unknown} */ (self)
  );

/**
 * Answer each request of the page's image cache.
 * @param {(bytes: ArrayBuffer) => Promise<{image: object, transfer: Transferable[]}>} decode throws if the file is
 *   incomplete or of another kind
 */
export function serve(decode) {
  /** @param {MessageEvent<{id: number, url: string}>} event */
  scope.onmessage = async ({ data: { id, url } }) => {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await fetch(url, { cache: "no-store", credentials: "same-origin", redirect: "manual", signal });
      if (!response.ok)
        return scope.postMessage({ id, status: response.type === "opaqueredirect" ? 403 : response.status });
      const bytes = await bytesOf(response, (share) => scope.postMessage({ id, share }));
      let decoded;
      try {
        decoded = await decode(bytes);
      } catch (error) {
        console.error(error);
        return scope.postMessage({ id, status: 422 });
      }
      scope.postMessage({ id, image: decoded.image }, decoded.transfer);
    } catch {
      scope.postMessage({ id, status: 0 }); // no response
    }
  };
}

/**
 * Return the body of a response.
 * @param {Response} response
 * @param {(share: number) => void} onProgress called with the share that has arrived, if the length is known
 * @returns {Promise<ArrayBuffer>}
 */
async function bytesOf(response, onProgress) {
  const length = Number(response.headers.get("Content-Length"));
  if (!response.body || !length || response.headers.has("Content-Encoding")) return response.arrayBuffer();
  let received = 0;
  const counted = new TransformStream({
    /**
     * @param {Uint8Array} chunk
     * @param {TransformStreamDefaultController} controller
     */
    transform(chunk, controller) {
      received += chunk.byteLength;
      onProgress(received / length);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counted)).arrayBuffer();
}
