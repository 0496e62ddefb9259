// Mouse, touchpad, finger and pen on one viewer.

const WINDOW_PER_PIXEL = 1 / 600;
const LINE_HEIGHT = 33; // wheels that count in lines, in pixels
const SLOP = 6; // CSS pixels that a finger moves without meaning to
const TAP_MS = 300;
const DOUBLE_TAP_MS = 350;
const DOUBLE_TAP_PIXELS = 30;

export class Pointer {
  /** What dragging with the main button, a finger or a pen does: "window", "pan" or "zoom". */
  dragging = "window";
  #viewer;
  #view;
  #tone;
  #acted;
  /** Pointers that are down, by id: where they went down, where they were last. */
  #down = new Map();
  #tap = null;

  /**
   * @param {import("./viewer.js").Viewer} viewer
   * @param {import("./viewport.js").View} view
   * @param {import("./window_level.js").GreyTone} tone
   * @param {(what: string) => void} acted told of each act
   */
  constructor(viewer, view, tone, acted) {
    this.#viewer = viewer;
    this.#view = view;
    this.#tone = tone;
    this.#acted = acted;
    const { box } = viewer;
    box.addEventListener("contextmenu", (event) => event.preventDefault());
    box.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    box.addEventListener("pointerdown", (event) => this.#press(event));
    box.addEventListener("pointermove", (event) => this.#move(event));
    box.addEventListener("pointerup", (event) => this.#release(event));
    box.addEventListener("pointercancel", (event) => this.#down.delete(event.pointerId));
  }

  get #sees() {
    return this.#viewer.picture && !this.#viewer.isCovered;
  }

  #press(event) {
    if (!this.#sees) return;
    if (event.button === 1) event.preventDefault(); // no auto-scroll
    this.#viewer.box.setPointerCapture(event.pointerId);
    this.#down.set(event.pointerId, { first: event, last: event, moved: event.pointerType === "mouse" });
  }

  #move(event) {
    const pointer = this.#down.get(event.pointerId);
    if (!pointer || !this.#sees) return;
    const { first } = pointer;
    pointer.moved ||= Math.hypot(event.clientX - first.clientX, event.clientY - first.clientY) > SLOP;
    if (this.#down.size > 1) this.#pinch(event, pointer);
    else if (pointer.moved) this.#drag(event, pointer);
    if (pointer.moved || this.#down.size > 1) pointer.last = event;
  }

  #drag(event, { first, last }) {
    // Not movementX: browsers disagree whether it counts CSS or device pixels.
    const dx = event.clientX - last.clientX;
    const dy = event.clientY - last.clientY;
    const { buttons } = event;
    if (event.pointerType === "touch" && this.#viewer.box.hasAttribute("data-loupe")) return; // it moves the magnifier
    if (buttons & 2 || (buttons === 1 && this.dragging === "zoom" && !event.shiftKey)) {
      this.#zoomAt(Math.exp(-dy / 200), first);
    } else if (buttons & 4 || event.shiftKey || this.dragging === "pan") {
      this.#panBy(dx, dy);
    } else {
      this.#tone.adjust(dy * WINDOW_PER_PIXEL, dx * WINDOW_PER_PIXEL);
      this.#acted("window");
    }
  }

  /** One of two fingers moved: what lies between them stays between them. */
  #pinch(event, pointer) {
    const [one, other] = this.#down.values();
    const before = between(one.last, other.last);
    const after = between(...[one, other].map((finger) => (finger === pointer ? event : finger.last)));
    this.#view.panBy((after.clientX - before.clientX) * this.#viewer.scale, (after.clientY - before.clientY) * this.#viewer.scale);
    this.#zoomAt(after.apart / Math.max(1, before.apart), after);
  }

  #release(event) {
    const pointer = this.#down.get(event.pointerId);
    const wasAlone = this.#down.size === 1;
    this.#down.delete(event.pointerId);
    const isTap = pointer && !pointer.moved && wasAlone && event.timeStamp - pointer.first.timeStamp < TAP_MS;
    if (!isTap || !this.#sees || this.#viewer.box.hasAttribute("data-marking")) return (this.#tap = null);
    if (this.#tap && isDouble(this.#tap, event)) {
      this.#tap = null;
      this.#toggle(event);
    } else this.#tap = event;
  }

  /** Between the whole picture and 1:1 of what was tapped. */
  #toggle(event) {
    if (this.#view.fitted) this.#view.zoomTo(1, ...this.#fromMiddle(event));
    else this.#view.fit();
    this.#acted("zoom");
  }

  #wheel(event) {
    event.preventDefault(); // also keeps a touchpad's pinch from zooming the page
    if (!this.#sees) return;
    const unit = event.deltaMode ? LINE_HEIGHT : 1;
    if (!event.ctrlKey && Math.abs(event.deltaX) > Math.abs(event.deltaY)) return this.#panBy(-event.deltaX * unit, 0);
    this.#zoomAt(Math.exp((-event.deltaY * unit) / (event.ctrlKey ? 100 : 400)), event);
  }

  #panBy(dx, dy) {
    this.#view.panBy(dx * this.#viewer.scale, dy * this.#viewer.scale);
    this.#acted("pan");
  }

  #zoomAt(factor, point) {
    this.#view.zoomBy(factor, ...this.#fromMiddle(point));
    this.#acted("zoom");
  }

  /** Device pixels from the canvas's middle. */
  #fromMiddle({ clientX, clientY }) {
    const box = this.#viewer.canvas.getBoundingClientRect();
    const { scale } = this.#viewer;
    return [(clientX - box.left - box.width / 2) * scale, (clientY - box.top - box.height / 2) * scale];
  }
}

function between(one, other) {
  return {
    clientX: (one.clientX + other.clientX) / 2,
    clientY: (one.clientY + other.clientY) / 2,
    apart: Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY),
  };
}

function isDouble(one, other) {
  const apart = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
  return other.timeStamp - one.timeStamp < DOUBLE_TAP_MS && apart < DOUBLE_TAP_PIXELS;
}
