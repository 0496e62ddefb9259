// Waiting for a time, or for a promise that may be abandoned.

/**
 * @param {number} at by the page's clock
 * @returns {Promise<void>}
 */
export function until(at) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())));
}

/**
 * Wait for a promise; rejected with the signal's reason if that is aborted first.
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
export async function unlessAborted(promise, signal) {
  signal.throwIfAborted();
  let stop = () => {};
  /** @type {Promise<never>} */
  const aborted = new Promise((_, reject) => (stop = () => reject(signal.reason)));
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
