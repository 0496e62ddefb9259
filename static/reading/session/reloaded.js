// What a reload changes.

/** @import { Reading } from "../network/api.js" */

/**
 * Return a verdict that was given before this page was loaded, and from when its answers are timed.
 * @param {Reading} draft
 */
export function resumed(draft) {
  return {
    reading: { ...draft, paradata: { ...draft.paradata, reloaded: true } },
    at: performance.now(),
  };
}

/** Whether this page was reloaded by the reader. */
export function isReloaded() {
  const [navigation] = performance.getEntriesByType("navigation");
  return navigation instanceof PerformanceNavigationTiming && navigation.type === "reload";
}
