// Zoom, orientation and the picture's point at the middle of the canvas. Viewers that share a viewport are linked.
// Canvases are measured in device pixels, pictures in their own.

/** @typedef {{width: number, height: number}} Size */
/** @typedef {[number, number, number, number]} Orientation a, b, c, d of x' = a x + c y, y' = b x + d y */

/**
 * Where a picture lies on a canvas.
 * @typedef {object} Placement
 * @property {number} zoom
 * @property {Orientation} orientation
 * @property {number} left of its box on the canvas
 * @property {number} top
 * @property {number} width
 * @property {number} height
 * @property {number} x canvas point of the picture's first corner
 * @property {number} y
 */

/** @import { Side } from "./outline.js" */
/** @typedef {{canvas: HTMLCanvasElement, picture: Size | null, isVisible: boolean}} LinkedViewer */

const LARGEST = 16;
const SMALLEST = 0.5; // of the fitted zoom, or of 1:1 if that is smaller

/** @type {Orientation} */
const UPRIGHT = [1, 0, 0, 1];
/** @type {Orientation} */
const MIRRORED = [-1, 0, 0, 1];

/** Dispatches "change". */
export class Viewport extends EventTarget {
  /** Device pixels per picture pixel. */
  zoom = 1;
  x = 0;
  y = 0;
  /** @type {Side | null} */
  #side = null;
  #hanging = UPRIGHT;
  #orientation = UPRIGHT;
  #isFitted = true;
  /** @type {LinkedViewer[]} */
  #viewers = [];

  /** @param {LinkedViewer} viewer */
  add(viewer) {
    this.#viewers.push(viewer);
  }

  /**
   * Hang a new picture. Its hanging is not an act of the reader.
   * @param {boolean} isFlipped whether it hangs mirrored left to right
   * @param {Side | null} side of the picture that lies at the edge of the canvas while it is fitted; null: the middle
   */
  hang(isFlipped, side) {
    this.#side = side;
    this.#hanging = isFlipped ? MIRRORED : UPRIGHT;
    this.reset();
  }

  /** Return to how the picture appeared: whole, neither turned nor flipped by the reader. */
  reset() {
    this.#orientation = this.#hanging;
    this.fit();
  }

  /** Show the whole picture, as large as it fits the smallest of the linked canvases. */
  fit() {
    this.#isFitted = true;
    const picture = this.#leadingPicture;
    if (!picture) return;
    const zoom = this.#fitZoom;
    const canvas = this.#leadingCanvas;
    const length = canvas && (this.#orientation[0] ? canvas.width : canvas.height);
    const x = length ? middleAt(this.#side, picture, length / zoom) : picture.width / 2;
    Object.assign(this, { zoom, x, y: picture.height / 2 });
    this.#changed();
  }

  get isFitted() {
    return this.#isFitted;
  }

  /** Show one picture pixel on exactly one device pixel. */
  oneToOne() {
    this.zoomTo(1);
  }

  /**
   * Zoom around a fixed point, given in device pixels from the middle of the canvas; without one around the middle.
   * @param {number} factor
   * @param {number} [dx]
   * @param {number} [dy]
   */
  zoomBy(factor, dx, dy) {
    const smallest = SMALLEST * Math.min(1, this.#fitZoom);
    this.zoomTo(Math.min(LARGEST, Math.max(smallest, this.zoom * factor)), dx, dy);
  }

  /**
   * @param {number} zoom
   * @param {number} [dx] as for zoomBy()
   * @param {number} [dy]
   */
  zoomTo(zoom, dx = this.#focus[0], dy = this.#focus[1]) {
    const [x, y] = this.#toPicture(dx, dy);
    this.x += x / this.zoom - x / zoom;
    this.y += y / this.zoom - y / zoom;
    this.zoom = zoom;
    this.#isFitted = false;
    this.#changed();
  }

  /**
   * Move the picture, by device pixels.
   * @param {number} dx
   * @param {number} dy
   */
  panBy(dx, dy) {
    const [x, y] = this.#toPicture(dx, dy);
    this.x -= x / this.zoom;
    this.y -= y / this.zoom;
    this.#isFitted = false;
    this.#changed();
  }

  /** Mirror what is on screen left to right. */
  flipAcross() {
    const [a, b, c, d] = this.#orientation;
    this.#turnTo([-a, b, -c, d]);
  }

  /** Mirror what is on screen top to bottom. */
  flipDown() {
    const [a, b, c, d] = this.#orientation;
    this.#turnTo([a, -b, c, -d]);
  }

  /** Turn what is on screen by a quarter to the right. */
  turnRight() {
    const [a, b, c, d] = this.#orientation;
    this.#turnTo([-b, a, -d, c]);
  }

  turnLeft() {
    const [a, b, c, d] = this.#orientation;
    this.#turnTo([b, -a, d, -c]);
  }

  /** What the reader did to the hanging: first mirrored left to right or not, then rotated right by degrees. */
  get turned() {
    const [h] = this.#hanging;
    const [a, b, c, d] = this.#orientation;
    const flipped = h * (a * d - b * c) < 0;
    const right = flipped ? -h : h; // direction of the displayed image's right side on screen, before the mirror
    const degrees = (Math.atan2(right * b, right * a) * 180) / Math.PI;
    return { flipped, rotated: (Math.round(degrees) + 360) % 360 };
  }

  /** After a canvas changed its size: stay fitted if it was. */
  resized() {
    if (this.#isFitted) this.fit();
    else this.#changed();
  }

  /**
   * Return where a picture lies on a canvas: on whole device pixels, otherwise 1:1 would be blurred by half a pixel.
   * @param {Size} canvas
   * @param {Size} picture
   * @param {{zoom: number, x: number, y: number}} [view] instead of that of this viewport
   * @param {Orientation} [orientation]
   * @returns {Placement}
   */
  placementOf(canvas, picture, view = this, orientation = this.#orientation) {
    const { zoom } = view;
    const [a, b, c, d] = orientation;
    const across = picture.width / 2 - view.x;
    const down = picture.height / 2 - view.y;
    const [width, height] = sizeOf(picture, orientation).map((side) => side * zoom);
    const left = Math.round(this.middleOf(canvas) + zoom * (a * across + c * down) - width / 2);
    const top = Math.round(canvas.height / 2 + zoom * (b * across + d * down) - height / 2);
    const x = left + (a + c < 0 ? width : 0);
    const y = top + (b + d < 0 ? height : 0);
    return { zoom, orientation, left, top, width, height, x, y };
  }

  /**
   * Return where the next picture will lie if the canvases keep their size.
   * @param {Size} canvas
   * @param {Size} picture
   * @param {boolean} isFlipped as for hang()
   * @param {Side | null} side as for hang()
   */
  placementOfNext(canvas, picture, isFlipped, side) {
    const orientation = isFlipped ? MIRRORED : UPRIGHT;
    const visible = this.#viewers.filter((viewer) => viewer.isVisible);
    const zooms = visible.map((viewer) => fitOf(viewer.canvas, picture, orientation));
    const zoom = Math.min(...zooms);
    const x = middleAt(side, picture, visible[0].canvas.width / zoom);
    const view = { zoom, x, y: picture.height / 2 };
    return this.placementOf(canvas, picture, view, orientation);
  }

  /**
   * Return the column of a canvas at which the picture's x lies: the middle. On a canvas wider than the leading one it
   * is as far from the edge at which pictures lie as there, so that all lie at their edge.
   * @param {Size} canvas
   */
  middleOf(canvas) {
    const leading = this.#leadingCanvas;
    const [a] = this.#orientation;
    if (!this.#side || !leading || a === 0 || canvas.width <= leading.width) return canvas.width / 2;
    const isLeft = (this.#side === "left") === a > 0;
    return isLeft ? leading.width / 2 : canvas.width - leading.width / 2;
  }

  get #leadingPicture() {
    return this.#viewers.find((viewer) => viewer.picture)?.picture;
  }

  /** What stays in place without a pointer: the middle of the canvas, or the picture's edge if it lies beside that. */
  get #focus() {
    const picture = this.#leadingPicture;
    if (!picture || (this.x >= 0 && this.x <= picture.width)) return [0, 0];
    const [a, b] = this.#orientation;
    const across = ((this.#side === "right" ? picture.width : 0) - this.x) * this.zoom;
    return [a * across, b * across];
  }

  get #leadingCanvas() {
    return this.#viewers.find((viewer) => viewer.isVisible)?.canvas;
  }

  get #fitZoom() {
    const zooms = [];
    for (const { canvas, picture, isVisible } of this.#viewers)
      if (picture && isVisible) zooms.push(fitOf(canvas, picture, this.#orientation));
    return zooms.length ? Math.min(...zooms) : this.zoom;
  }

  /**
   * Return a distance on the canvas along the axes of the picture.
   * @param {number} dx
   * @param {number} dy
   */
  #toPicture(dx, dy) {
    const [a, b, c, d] = this.#orientation;
    return [a * dx + b * dy, c * dx + d * dy];
  }

  /** @param {Orientation} orientation */
  #turnTo(orientation) {
    this.#orientation = /** @type {Orientation} */ (orientation.map((part) => part || 0)); // no -0
    if (this.#isFitted) this.fit();
    else this.#changed();
  }

  #changed() {
    const picture = this.#leadingPicture;
    if (!picture) return;
    const { width = 0, height = 0 } = this.#leadingCanvas ?? {};
    const [across, down] = this.#orientation[0] ? [width, height] : [height, width];
    this.x = within(this.x, picture.width, across / this.zoom);
    this.y = within(this.y, picture.height, down / this.zoom);
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Return the picture's column at the middle of a canvas if one side lies at its edge.
 * @param {Side | null} side null: the picture lies in the middle
 * @param {Size} picture
 * @param {number} length of the canvas along the picture's rows, in picture pixels
 */
function middleAt(side, { width }, length) {
  if (side === null) return width / 2;
  return side === "left" ? length / 2 : width - length / 2;
}

/**
 * Return a position at which the picture cannot be lost: its middle part is on the canvas, or all of it is.
 * @param {number} position of the canvas's middle in the picture
 * @param {number} size of the picture
 * @param {number} length of the canvas
 */
function within(position, size, length) {
  return Math.min(Math.max(size, length / 2), Math.max(Math.min(0, size - length / 2), position));
}

/**
 * Return width and height as they are on screen.
 * @param {Size} picture
 * @param {Orientation} orientation
 */
const sizeOf = ({ width, height }, orientation) => (orientation[0] ? [width, height] : [height, width]);

/**
 * @param {Size} canvas
 * @param {Size} picture
 * @param {Orientation} orientation
 */
function fitOf(canvas, picture, orientation) {
  const [width, height] = sizeOf(picture, orientation);
  return Math.min(canvas.width / width, canvas.height / height);
}

/**
 * Return the picture's point at a point of the canvas (both continuous; the middle of a pixel is at a half).
 * @param {Placement} placement
 * @param {number} across
 * @param {number} down
 * @returns {[number, number]}
 */
export function pointOf({ zoom, orientation: [a, b, c, d], x, y }, across, down) {
  const u = (across - x) / zoom;
  const v = (down - y) / zoom;
  return [a * u + b * v, c * u + d * v];
}

/**
 * Return the canvas point of a point of the picture.
 * @param {Placement} placement
 * @param {number} across
 * @param {number} down
 * @returns {[number, number]}
 */
export function canvasPointOf({ zoom, orientation: [a, b, c, d], x, y }, across, down) {
  return [x + zoom * (a * across + c * down), y + zoom * (b * across + d * down)];
}
