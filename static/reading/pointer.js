// Mouse, touchpad, finger and pen on one viewer.

const WINDOW_PER_PIXEL = 1 / 600;
const LINE_HEIGHT = 33; // wheels that count in lines, in pixels

export class Pointer {
  /** What dragging with the main button does: "window", "pan" or "zoom". */
  dragging = "window";
  #viewer;
  #view;
  #tone;
  #acted;
  #last = null;

  /**
   * @param {import("./viewer.js").Viewer} viewer
   * @param {import("./view.js").View} view
   * @param {import("./tone.js").GreyTone} tone
   * @param {(what: string) => void} acted told of each act
   */
  constructor(viewer, view, tone, acted) {
    this.#viewer = viewer;
    this.#view = view;
    this.#tone = tone;
    this.#acted = acted;
    this.#listen(viewer.box);
  }

  #listen(box) {
    box.addEventListener("contextmenu", (event) => event.preventDefault());
    box.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    box.addEventListener("pointerdown", (event) => {
      if (!this.#viewer.picture) return;
      box.setPointerCapture(event.pointerId);
      this.#last = event;
      if (event.button === 1) event.preventDefault(); // no auto-scroll
    });
    box.addEventListener("pointermove", (event) => {
      if (this.#viewer.picture && box.hasPointerCapture(event.pointerId)) this.#drag(event);
    });
  }

  #drag(event) {
    // Not movementX: browsers disagree whether it counts CSS or device pixels.
    const dx = event.clientX - this.#last.clientX;
    const dy = event.clientY - this.#last.clientY;
    const { buttons } = event;
    this.#last = event;
    if (buttons & 2) {
      this.#zoomAt(Math.exp(-dy / 200), event);
    } else if (buttons & 4 || event.shiftKey || this.dragging === "pan") {
      this.#view.panBy(dx * this.#viewer.scale, dy * this.#viewer.scale);
      this.#acted("pan");
    } else {
      this.#tone.adjust(dy * WINDOW_PER_PIXEL, dx * WINDOW_PER_PIXEL);
      this.#acted("window");
    }
  }

  #wheel(event) {
    event.preventDefault(); // also keeps a touchpad's pinch from zooming the page
    if (!this.#viewer.picture) return;
    const pixels = event.deltaMode ? event.deltaY * LINE_HEIGHT : event.deltaY;
    this.#zoomAt(Math.exp(-pixels / (event.ctrlKey ? 100 : 400)), event);
  }

  #zoomAt(factor, event) {
    const box = this.#viewer.canvas.getBoundingClientRect();
    const dx = (event.clientX - box.left - box.width / 2) * this.#viewer.scale;
    const dy = (event.clientY - box.top - box.height / 2) * this.#viewer.scale;
    this.#view.zoomBy(factor, dx, dy);
    this.#acted("zoom");
  }
}
