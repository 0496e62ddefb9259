// An observer beside the page's own clock: when the picture was drawn, when frames began, when a key handler ran.

const seen = (window.seen = { drawn: null, frames: [], handled: [] });
const request = window.requestAnimationFrame.bind(window);

(function frame(timestamp) {
  if (timestamp) seen.frames.push(timestamp);
  request(frame);
})();

for (const name of ["drawImage", "putImageData"]) {
  const draw = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...parts) {
    const drawn = draw.apply(this, parts);
    if (this.canvas.dataset?.panel && !seen.drawn) {
      seen.drawn = { frame: document.timeline.currentTime };
      // After the callback that draws, before the next one of this frame.
      queueMicrotask(() => (seen.drawn.done = performance.now()));
    }
    return drawn;
  };
}

addEventListener("keydown", (event) => seen.handled.push(performance.now()), true);
