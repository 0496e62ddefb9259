// Where one looks: zoom and the picture's point at the middle of the canvas. Viewers that share a View are linked.

const LARGEST = 16;
const SMALLEST = 0.5; // of the whole picture, or of 1:1 where that is smaller

export class View extends EventTarget {
  /** Device pixels per picture pixel. */
  zoom = 1;
  x = 0;
  y = 0;
  #fitted = true;
  #viewers = [];

  /** @param {{fitZoom: number, picture: object | null}} viewer */
  add(viewer) {
    this.#viewers.push(viewer);
  }

  /** The whole picture, as large as it goes, in the smallest of the linked canvases. */
  fit() {
    this.#fitted = true;
    this.#centre(this.#fitZoom);
  }

  /** One picture pixel on exactly one device pixel. */
  oneToOne() {
    this.#fitted = false;
    this.zoom = 1;
    this.#changed();
  }

  /** @param {number} dx @param {number} dy the fixed point, in device pixels from the canvas's middle */
  zoomBy(factor, dx = 0, dy = 0) {
    const before = this.zoom;
    const smallest = SMALLEST * Math.min(1, this.#fitZoom);
    this.zoom = Math.min(LARGEST, Math.max(smallest, before * factor));
    this.x += dx / before - dx / this.zoom;
    this.y += dy / before - dy / this.zoom;
    this.#fitted = false;
    this.#changed();
  }

  /** @param {number} dx @param {number} dy device pixels that the picture moves by */
  panBy(dx, dy) {
    this.x -= dx / this.zoom;
    this.y -= dy / this.zoom;
    this.#fitted = false;
    this.#changed();
  }

  /** After a change of the canvases' size: stay fitted if it was. */
  resized() {
    if (this.#fitted) this.fit();
    else this.#changed();
  }

  get #lead() {
    return this.#viewers.find((viewer) => viewer.picture);
  }

  get #fitZoom() {
    return Math.min(...this.#viewers.filter((v) => v.picture).map((v) => v.fitZoom));
  }

  #centre(zoom) {
    if (!this.#lead) return;
    const { width, height } = this.#lead.picture;
    Object.assign(this, { zoom, x: width / 2, y: height / 2 });
    this.#changed();
  }

  #changed() {
    if (!this.#lead) return;
    const { width, height } = this.#lead.picture;
    this.x = Math.min(width, Math.max(0, this.x)); // never lose the picture off screen
    this.y = Math.min(height, Math.max(0, this.y));
    this.dispatchEvent(new Event("change"));
  }
}
