// Full screen for the reading room, if the browser allows it.

/** Show the page with all its sections and dialogs in full screen, or end that. */
export function toggleFullScreen() {
  // A browser may refuse; then nothing changes.
  const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.();
  done?.catch(() => {});
}
