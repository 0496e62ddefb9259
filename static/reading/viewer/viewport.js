// Where one looks: zoom, orientation and the picture's point at the middle of the canvas. Viewers that share
// a View are linked. A canvas is measured in device pixels, a picture in its own.

const LARGEST = 16;
const SMALLEST = 0.5; // of the whole picture, or of 1:1 where that is smaller

// Orientations as the first two columns of a canvas's transform: x' = a x + c y, y' = b x + d y.
const UPRIGHT = [1, 0, 0, 1];
const MIRRORED = [-1, 0, 0, 1];

export class View extends EventTarget {
  /** Device pixels per picture pixel. */
  zoom = 1;
  x = 0;
  y = 0;
  #hanging = UPRIGHT;
  #orientation = UPRIGHT;
  #fitted = true;
  #viewers = [];

  /** @param {{canvas: HTMLCanvasElement, picture: object | null, shows: boolean}} viewer */
  add(viewer) {
    this.#viewers.push(viewer);
  }

  /** @param {boolean} flip whether the picture hangs mirrored left to right; that is no act of the reader */
  hang(flip) {
    this.#hanging = flip ? MIRRORED : UPRIGHT;
    this.home();
  }

  /** As it hung when it appeared: whole, neither turned nor flipped by the reader. */
  home() {
    this.#orientation = this.#hanging;
    this.fit();
  }

  /** The whole picture, as large as it goes, in the smallest of the linked canvases. */
  fit() {
    this.#fitted = true;
    if (!this.#lead) return;
    const { width, height } = this.#lead.picture;
    Object.assign(this, { zoom: this.#fitZoom, x: width / 2, y: height / 2 });
    this.#changed();
  }

  get fitted() {
    return this.#fitted;
  }

  /** One picture pixel on exactly one device pixel. */
  oneToOne() {
    this.zoomTo(1);
  }

  /** @param {number} dx @param {number} dy the fixed point, in device pixels from the canvas's middle */
  zoomBy(factor, dx = 0, dy = 0) {
    const smallest = SMALLEST * Math.min(1, this.#fitZoom);
    this.zoomTo(Math.min(LARGEST, Math.max(smallest, this.zoom * factor)), dx, dy);
  }

  zoomTo(zoom, dx = 0, dy = 0) {
    const [x, y] = this.#toPicture(dx, dy);
    this.x += x / this.zoom - x / zoom;
    this.y += y / this.zoom - y / zoom;
    this.zoom = zoom;
    this.#fitted = false;
    this.#changed();
  }

  /** @param {number} dx @param {number} dy device pixels that the picture moves by */
  panBy(dx, dy) {
    const [x, y] = this.#toPicture(dx, dy);
    this.x -= x / this.zoom;
    this.y -= y / this.zoom;
    this.#fitted = false;
    this.#changed();
  }

  /** Mirror what is on screen about its vertical axis. */
  flipAcross() {
    const [a, b, c, d] = this.#orientation;
    this.#turnTo([-a, b, -c, d]);
  }

  /** Mirror what is on screen about its horizontal axis. */
  flipDown() {
    const [a, b, c, d] = this.#orientation;
    this.#turnTo([a, -b, c, -d]);
  }

  /** A quarter turn to the right, as seen on screen. */
  turnRight() {
    const [a, b, c, d] = this.#orientation;
    this.#turnTo([-b, a, -d, c]);
  }

  turnLeft() {
    const [a, b, c, d] = this.#orientation;
    this.#turnTo([b, -a, d, -c]);
  }

  /** What the reader did to the hanging: first mirrored left to right or not, then turned right by degrees. */
  get turned() {
    const [h] = this.#hanging;
    const [a, b, c, d] = this.#orientation;
    const flipped = h * (a * d - b * c) < 0;
    const right = flipped ? -h : h; // where the hung picture's right side points on screen, before the mirror
    const degrees = (Math.atan2(right * b, right * a) * 180) / Math.PI;
    return { flipped, rotated: (Math.round(degrees) + 360) % 360 };
  }

  /** After a change of the canvases' size: stay fitted if it was. */
  resized() {
    if (this.#fitted) this.fit();
    else this.#changed();
  }

  /**
   * Where a picture lies on a canvas, on whole device pixels, or 1:1 would be blurred by half a pixel.
   * @param {{zoom: number, x: number, y: number}} [look] other than that of the view
   * @returns {{zoom: number, orientation: number[], left: number, top: number, width: number, height: number,
   *   x: number, y: number}} its box on the canvas, and the canvas's point of the picture's first corner
   */
  place(canvas, picture, look = this, orientation = this.#orientation) {
    const { zoom } = look;
    const [a, b, c, d] = orientation;
    const across = picture.width / 2 - look.x;
    const down = picture.height / 2 - look.y;
    const [width, height] = sizeOf(picture, orientation).map((side) => side * zoom);
    const left = Math.round(canvas.width / 2 + zoom * (a * across + c * down) - width / 2);
    const top = Math.round(canvas.height / 2 + zoom * (b * across + d * down) - height / 2);
    const x = left + (a + c < 0 ? width : 0);
    const y = top + (b + d < 0 ? height : 0);
    return { zoom, orientation, left, top, width, height, x, y };
  }

  /** Where a picture will lie that is hung next, if the canvases stay as they are. */
  placeOfNext(canvas, picture, flip) {
    const orientation = flip ? MIRRORED : UPRIGHT;
    const zooms = this.#viewers.filter((viewer) => viewer.shows).map((viewer) => fitOf(viewer.canvas, picture, orientation));
    const look = { zoom: Math.min(...zooms), x: picture.width / 2, y: picture.height / 2 };
    return this.place(canvas, picture, look, orientation);
  }

  get #lead() {
    return this.#viewers.find((viewer) => viewer.picture);
  }

  get #fitZoom() {
    const shown = this.#viewers.filter((viewer) => viewer.picture && viewer.shows);
    const zooms = shown.map(({ canvas, picture }) => fitOf(canvas, picture, this.#orientation));
    return zooms.length ? Math.min(...zooms) : this.zoom;
  }

  /** A distance on the canvas, along the picture's own axes. */
  #toPicture(dx, dy) {
    const [a, b, c, d] = this.#orientation;
    return [a * dx + b * dy, c * dx + d * dy];
  }

  #turnTo(orientation) {
    this.#orientation = orientation.map((part) => part || 0); // no -0
    if (this.#fitted) this.fit();
    else this.#changed();
  }

  #changed() {
    if (!this.#lead) return;
    const { width, height } = this.#lead.picture;
    this.x = Math.min(width, Math.max(0, this.x)); // never lose the picture off screen
    this.y = Math.min(height, Math.max(0, this.y));
    this.dispatchEvent(new Event("change"));
  }
}

/** Width and height as they lie on screen. */
const sizeOf = ({ width, height }, orientation) => (orientation[0] ? [width, height] : [height, width]);

function fitOf(canvas, picture, orientation) {
  const [width, height] = sizeOf(picture, orientation);
  return Math.min(canvas.width / width, canvas.height / height);
}

/** The picture's point at a point of the canvas (both continuous; a pixel's middle is at a half). */
export function pointOf({ zoom, orientation: [a, b, c, d], x, y }, across, down) {
  const u = (across - x) / zoom;
  const v = (down - y) / zoom;
  return [a * u + b * v, c * u + d * v];
}

/** The canvas's point of a point of the picture. */
export function canvasPointOf({ zoom, orientation: [a, b, c, d], x, y }, across, down) {
  return [x + zoom * (a * across + c * down), y + zoom * (b * across + d * down)];
}
