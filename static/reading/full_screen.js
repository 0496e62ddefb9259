// The whole screen for the reading room, where the browser allows it.

/** @param {HTMLElement} room goes full screen with all its sections and dialogs, or back */
export function toggleFullScreen(room) {
  // A browser may refuse; then all stays as it is.
  const done = document.fullscreenElement ? document.exitFullscreen() : room.requestFullscreen?.();
  done?.catch(() => {});
}
