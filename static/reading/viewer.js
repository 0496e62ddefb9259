// One picture on one canvas. Exact at 1:1: one sample, one table entry, one device pixel.

const WINDOW_PER_PIXEL = 1 / 600;
const LINE_HEIGHT = 33; // wheels that count in lines, in pixels
const SMOOTH_UNTIL = 4; // above this zoom one wants to see the pixels

export class Viewer extends EventTarget {
  picture = null;
  /** What dragging with the main button does: "window" or "pan". */
  dragging = "window";
  #canvas;
  #context;
  #view;
  #tone;
  #table = new Uint32Array(65536);
  #surface = null;
  #stale = true;
  #frame = 0;
  #last = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./view.js").View} view
   * @param {import("./tone.js").GreyTone | import("./tone.js").DifferenceTone} tone
   */
  constructor(canvas, view, tone) {
    super();
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    this.#view = view;
    this.#tone = tone;
    view.add(this);
    view.addEventListener("change", () => this.#redraw());
    tone.addEventListener("change", () => this.#retone());
    new ResizeObserver(([entry]) => this.#resize(entry)).observe(canvas);
    this.#listen();
  }

  get fitZoom() {
    return Math.min(this.#canvas.width / this.picture.width, this.#canvas.height / this.picture.height);
  }

  /** Take a picture; it appears with the next draw(). */
  put(picture) {
    this.picture = picture;
    if (this.#surface?.width !== picture.width || this.#surface?.height !== picture.height)
      this.#surface = new Surface(picture.width, picture.height);
    this.#retone();
  }

  /** Nothing on screen: the next picture is not there yet. */
  clear() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.picture = null;
    this.#context.fillStyle = "#000";
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  /** Draw now. Called in an animation frame, or when the canvas changed its size. */
  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (!this.picture) return;
    if (this.#stale) this.#colour();
    const { width, height } = this.#canvas;
    const { zoom, x, y } = this.#view;
    const context = this.#context;
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = zoom !== 1 && zoom < SMOOTH_UNTIL;
    context.imageSmoothingQuality = zoom < 1 ? "medium" : "low";
    // Whole device pixels, or 1:1 would be blurred by half a pixel.
    const left = Math.round(width / 2 - x * zoom);
    const top = Math.round(height / 2 - y * zoom);
    context.drawImage(this.#surface.canvas, left, top, this.picture.width * zoom, this.picture.height * zoom);
  }

  #redraw() {
    if (!this.#frame && this.picture) this.#frame = requestAnimationFrame(() => this.draw());
  }

  #retone() {
    this.#stale = true;
    this.#redraw();
  }

  #colour() {
    this.#tone.fill(this.#table);
    this.#surface.paint(this.picture.samples, this.#table);
    this.#stale = false;
  }

  #resize(entry) {
    // Device pixels exactly, also at a scale of 1.25; Safari does not say them.
    const exact = entry.devicePixelContentBoxSize?.[0];
    const { width, height } = entry.contentRect;
    this.#canvas.width = Math.max(1, exact ? exact.inlineSize : Math.round(width * devicePixelRatio));
    this.#canvas.height = Math.max(1, exact ? exact.blockSize : Math.round(height * devicePixelRatio));
    this.#view.resized();
    this.draw(); // a canvas that changed its size is blank: draw before it is painted
  }

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.picture) return;
      canvas.setPointerCapture(event.pointerId);
      this.#last = event;
      if (event.button === 1) event.preventDefault(); // no auto-scroll
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.picture && canvas.hasPointerCapture(event.pointerId)) this.#drag(event);
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
      this.#view.panBy(dx * this.#scale, dy * this.#scale);
      this.#acted("pan");
    } else if (this.#tone.adjust) {
      this.#tone.adjust(dy * WINDOW_PER_PIXEL, dx * WINDOW_PER_PIXEL);
      this.#acted("window");
    }
  }

  #wheel(event) {
    event.preventDefault(); // also keeps a touchpad's pinch from zooming the page
    if (!this.picture) return;
    const pixels = event.deltaMode ? event.deltaY * LINE_HEIGHT : event.deltaY;
    this.#zoomAt(Math.exp(-pixels / (event.ctrlKey ? 100 : 400)), event);
  }

  #zoomAt(factor, event) {
    const box = this.#canvas.getBoundingClientRect();
    const dx = (event.clientX - box.left - box.width / 2) * this.#scale;
    const dy = (event.clientY - box.top - box.height / 2) * this.#scale;
    this.#view.zoomBy(factor, dx, dy);
    this.#acted("zoom");
  }

  get #scale() {
    return this.#canvas.width / this.#canvas.getBoundingClientRect().width;
  }

  #acted(what) {
    this.dispatchEvent(new CustomEvent("act", { detail: what }));
  }
}

/** An off-screen canvas of the picture's size, painted through a table. */
class Surface {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.canvas = new OffscreenCanvas(width, height);
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.data = this.context.createImageData(width, height);
    this.pixels = new Uint32Array(this.data.data.buffer);
  }

  paint(samples, table) {
    const { pixels } = this;
    for (let i = 0; i < samples.length; i++) pixels[i] = table[samples[i]];
    this.context.putImageData(this.data, 0, 0);
  }
}
