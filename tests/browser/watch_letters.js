// A reader's eye for tests: what was last written on a canvas stands in its data-drawn.

const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
  if (this.canvas.dataset) this.canvas.dataset.drawn = (this.canvas.dataset.drawn ?? "") + text;
  return write.call(this, text, ...place);
};
