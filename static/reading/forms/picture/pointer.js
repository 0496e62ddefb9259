// Mouse, touchpad, finger and pen on one viewer.

/** @import { PagePoint } from "./viewer.js" */
/** @typedef {"window" | "pan" | "zoom"} DragMode */
/** @typedef {{first: PointerEvent, last: PointerEvent, hasMoved: boolean}} PressedPointer */

const WINDOW_PER_PIXEL = 1 / 600;
const LINE_HEIGHT = 33; // pixels, for wheels that count in lines
const SLOP = 6; // CSS pixels that a finger moves without intention
const TAP_MS = 300;
const DOUBLE_TAP_MS = 350;
const DOUBLE_TAP_PIXELS = 30;

export class Pointer {
  /**
   * What dragging with the main button, a finger or a pen does.
   * @type {DragMode}
   */
  dragMode = "window";
  #viewer;
  #viewport;
  #windowLevel;
  #onAct;
  /** @type {Map<number, PressedPointer>} */
  #pressed = new Map();
  /** @type {PointerEvent | null} */
  #tap = null;
  #lastType = "";

  /**
   * @param {import("./viewer.js").Viewer} viewer
   * @param {import("./viewport.js").Viewport} viewport
   * @param {import("./window_level.js").WindowLevel} windowLevel
   * @param {(act: string) => void} onAct called after each act of the reader
   */
  constructor(viewer, viewport, windowLevel, onAct) {
    this.#viewer = viewer;
    this.#viewport = viewport;
    this.#windowLevel = windowLevel;
    this.#onAct = onAct;
    const { box } = viewer;
    box.addEventListener("contextmenu", (event) => event.preventDefault());
    box.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    box.addEventListener("pointerdown", (event) => this.#press(event));
    box.addEventListener("pointermove", (event) => this.#move(event));
    box.addEventListener("pointerup", (event) => this.#release(event));
    box.addEventListener("dblclick", (event) => this.#doubleClick(event));
    box.addEventListener("pointercancel", (event) => this.#pressed.delete(event.pointerId));
  }

  get #hasPicture() {
    return this.#viewer.picture && !this.#viewer.isCovered;
  }

  /** @param {PointerEvent} event */
  #press(event) {
    this.#lastType = event.pointerType;
    if (!this.#hasPicture) return;
    if (event.button === 1) event.preventDefault(); // no auto-scroll
    this.#viewer.box.setPointerCapture(event.pointerId);
    this.#pressed.set(event.pointerId, { first: event, last: event, hasMoved: event.pointerType === "mouse" });
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const pointer = this.#pressed.get(event.pointerId);
    if (!pointer || !this.#hasPicture) return;
    pointer.hasMoved ||= distance(event, pointer.first) > SLOP;
    if (this.#pressed.size > 1) this.#pinch(event, pointer);
    else if (pointer.hasMoved) this.#drag(event, pointer);
    if (pointer.hasMoved || this.#pressed.size > 1) pointer.last = event;
  }

  /**
   * @param {PointerEvent} event
   * @param {PressedPointer} pointer
   */
  #drag(event, { first, last }) {
    // Not movementX: browsers disagree whether it counts CSS or device pixels.
    const dx = event.clientX - last.clientX;
    const dy = event.clientY - last.clientY;
    const { buttons } = event;
    // Then a finger moves the magnifier.
    if (event.pointerType === "touch" && this.#viewer.box.hasAttribute("data-loupe")) return;
    if (buttons & 2 || (buttons === 1 && this.dragMode === "zoom" && !event.shiftKey)) {
      this.#zoomAt(Math.exp(-dy / 200), first);
    } else if (buttons & 4 || event.shiftKey || this.dragMode === "pan") {
      this.#panBy(dx, dy);
    } else {
      this.#windowLevel.adjust(dy * WINDOW_PER_PIXEL, dx * WINDOW_PER_PIXEL);
      this.#onAct("window");
    }
  }

  /**
   * One of two fingers moved: what lies between them stays between them.
   * @param {PointerEvent} event
   * @param {PressedPointer} pointer
   */
  #pinch(event, pointer) {
    const [first, second] = this.#pressed.values();
    const before = between(first.last, second.last);
    const after = between(first === pointer ? event : first.last, second === pointer ? event : second.last);
    const { scale } = this.#viewer;
    this.#viewport.panBy((after.clientX - before.clientX) * scale, (after.clientY - before.clientY) * scale);
    this.#zoomAt(after.apart / Math.max(1, before.apart), after);
  }

  /** @param {PointerEvent} event */
  #release(event) {
    const pointer = this.#pressed.get(event.pointerId);
    const wasAlone = this.#pressed.size === 1;
    this.#pressed.delete(event.pointerId);
    const isTap = pointer && !pointer.hasMoved && wasAlone && event.timeStamp - pointer.first.timeStamp < TAP_MS;
    const firstTap = this.#tap;
    this.#tap = null;
    if (!isTap || !this.#hasPicture || this.#viewer.box.hasAttribute("data-marking")) return;
    if (firstTap && isDouble(firstTap, event)) this.#toggleZoom(event);
    else this.#tap = event;
  }

  /**
   * By the mouse; taps of a finger or a pen are counted by #release().
   * @param {MouseEvent} event
   */
  #doubleClick(event) {
    if (this.#lastType !== "mouse" || !this.#hasPicture || this.#viewer.box.hasAttribute("data-marking")) return;
    this.#toggleZoom(event);
  }

  /**
   * Change between the whole picture and 1:1 around a point.
   * @param {PagePoint} point
   */
  #toggleZoom(point) {
    if (this.#viewport.isFitted) this.#viewport.zoomTo(1, ...this.#fromMiddle(point));
    else this.#viewport.fit();
    this.#onAct("zoom");
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault(); // also keeps a touchpad's pinch from zooming the page
    if (!this.#hasPicture) return;
    const unit = event.deltaMode ? LINE_HEIGHT : 1;
    if (!event.ctrlKey && Math.abs(event.deltaX) > Math.abs(event.deltaY)) return this.#panBy(-event.deltaX * unit, 0);
    this.#zoomAt(Math.exp((-event.deltaY * unit) / (event.ctrlKey ? 100 : 400)), event);
  }

  /**
   * @param {number} dx CSS pixels
   * @param {number} dy
   */
  #panBy(dx, dy) {
    this.#viewport.panBy(dx * this.#viewer.scale, dy * this.#viewer.scale);
    this.#onAct("pan");
  }

  /**
   * @param {number} factor
   * @param {PagePoint} point that stays where it is
   */
  #zoomAt(factor, point) {
    this.#viewport.zoomBy(factor, ...this.#fromMiddle(point));
    this.#onAct("zoom");
  }

  /**
   * Return a point in device pixels from the middle of the canvas.
   * @param {PagePoint} point
   * @returns {[number, number]}
   */
  #fromMiddle({ clientX, clientY }) {
    const box = this.#viewer.canvas.getBoundingClientRect();
    const { scale } = this.#viewer;
    const middle = this.#viewport.middleOf(this.#viewer.canvas);
    return [(clientX - box.left) * scale - middle, (clientY - box.top - box.height / 2) * scale];
  }
}

/**
 * @param {PagePoint} one
 * @param {PagePoint} other
 */
const distance = (one, other) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);

/**
 * Return the point between two points, and how far apart they are.
 * @param {PagePoint} one
 * @param {PagePoint} other
 */
function between(one, other) {
  return {
    clientX: (one.clientX + other.clientX) / 2,
    clientY: (one.clientY + other.clientY) / 2,
    apart: distance(one, other),
  };
}

/**
 * @param {PointerEvent} first
 * @param {PointerEvent} second
 */
function isDouble(first, second) {
  return second.timeStamp - first.timeStamp < DOUBLE_TAP_MS && distance(first, second) < DOUBLE_TAP_PIXELS;
}
