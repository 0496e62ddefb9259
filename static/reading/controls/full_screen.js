// The whole screen for the reading room, where the browser allows it.

/** The page goes full screen with all its sections and dialogs, or back. */
export function toggleFullScreen() {
  // A browser may refuse; then all stays as it is.
  const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.();
  done?.catch(() => {});
}
