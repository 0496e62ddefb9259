// Lookup tables from 65,536 grey levels to screen colours. Viewers that share a table are windowed together.

/** @typedef {"standard" | "whole" | "upper"} Preset */

const OPAQUE = 0xff000000;

/** A table of 65,536 colours, filled when it is read after a change. Dispatches "change". */
export class ColourTable extends EventTarget {
  /** Increases with each change, so that a renderer can tell whether its copy is up to date. */
  version = 0;
  #table = new Uint32Array(65536);
  #filledVersion = -1;

  /**
   * The level that represents four neighbours when the picture is drawn much smaller: their mean.
   * @type {(a: number, b: number, c: number, d: number) => number}
   */
  levelOfFour = (a, b, c, d) => (a + b + c + d + 2) >> 2;

  /** Whether the air around what was imaged is black, whatever the table says. */
  get isShuttered() {
    return false;
  }

  /** 65,536 pixels: alpha, blue, green, red from the high byte down. */
  get table() {
    if (this.#filledVersion !== this.version) this.fill(this.#table);
    this.#filledVersion = this.version;
    return this.#table;
  }

  changed() {
    this.version++;
    this.dispatchEvent(new Event("change"));
  }

  /** @param {Uint32Array} _table */
  fill(_table) {
    throw new Error("A subclass fills the table.");
  }
}

/** Grey by window and level. */
export class WindowLevel extends ColourTable {
  center = 32768;
  width = 65536;
  isInverted = false;
  /** @type {Preset | null} null: set by hand */
  preset = "standard";
  /** What was added to the preset by hand, in shares of the width of the standard window. */
  adjusted = { level: 0, width: 0 };
  #levels = { low: 0, high: 65535 };

  /** In the standard window the air is dark by itself. */
  get isShuttered() {
    return this.isInverted || this.preset !== "standard";
  }

  /**
   * Begin a new picture in the standard window.
   * @param {{low: number, high: number}} levels of the picture
   */
  start(levels) {
    this.#levels = levels;
    this.isInverted = false;
    this.usePreset("standard");
  }

  /** @param {Preset} name */
  usePreset(name) {
    const { low, high } = this.#levels;
    // "whole" is the full scale and not the picture's own range, which one stray pixel could change.
    const ranges = { standard: [low, high], whole: [0, 65535], upper: [low + 0.4 * (high - low), high] };
    const [from, to] = ranges[name];
    this.preset = name;
    this.adjusted = { level: 0, width: 0 };
    this.#set((from + to) / 2, to - from);
  }

  nextPreset() {
    const next = /** @type {const} */ ({ standard: "whole", whole: "upper", upper: "standard" });
    this.usePreset(this.preset ? next[this.preset] : "standard");
  }

  /**
   * Add to level and width, as shares of the width of the standard window.
   * @param {number} level
   * @param {number} width
   */
  adjust(level, width) {
    const unit = Math.max(1, this.#levels.high - this.#levels.low);
    this.preset = null;
    this.adjusted = { level: this.adjusted.level + level, width: this.adjusted.width + width };
    this.#set(this.center + level * unit, this.width + width * unit);
  }

  invert() {
    this.isInverted = !this.isInverted;
    this.changed();
  }

  /** @param {Uint32Array} table */
  fill(table) {
    const from = this.center - this.width / 2;
    const scale = 255 / this.width;
    const flip = this.isInverted ? 255 : 0;
    for (let v = 0; v < 65536; v++) {
      const grey = Math.floor(Math.min(255, Math.max(0, (v - from) * scale)) + 0.5) ^ flip;
      table[v] = OPAQUE | (grey << 16) | (grey << 8) | grey;
    }
  }

  /**
   * @param {number} center
   * @param {number} width
   */
  #set(center, width) {
    this.center = Math.min(65535, Math.max(0, center));
    this.width = Math.min(131072, Math.max(1, width));
    this.changed();
  }
}

// Sky blue, near-black, orange: distinct with any colour blindness, and every change is visible in a dark room.
const DARKER = [86, 180, 233];
const SAME = [16, 16, 16];
const BRIGHTER = [255, 160, 40];
const OVERLAY_ALPHA = 217; // 85 %: the image below stays visible

/** Colours of a signed difference stored as 32768 + difference / 2; symmetric about no change. */
export class DifferenceColours extends ColourTable {
  /**
   * The largest change of the four: opposite changes would cancel in a mean, and a small one must not vanish.
   * @type {ColourTable["levelOfFour"]}
   */
  levelOfFour = (a, b, c, d) => larger(larger(a, b), larger(c, d));
  /** Half the difference at which the colour is full, as it is stored. */
  reach = 32768;
  /** @type {number | null} share of the grey scale at which the colour is full; null: that of the picture's change */
  fullColour = null;

  get isShuttered() {
    return true;
  }

  /** @param {{change: number}} levels of the difference image */
  start(levels) {
    const own = levels.change || 32768; // without any change: the full scale, all of it dark
    this.reach = this.fullColour === null ? own : (65535 * this.fullColour) / 2;
    this.changed();
  }

  /** The difference at full colour, as a share of the grey scale. */
  get share() {
    return (2 * this.reach) / 65535;
  }

  /** @param {Uint32Array} table */
  fill(table) {
    for (let v = 0; v < 65536; v++) table[v] = OPAQUE | packed(differenceColour((v - 32768) / this.reach));
  }
}

/** The same difference, to be drawn over a picture: the larger the change, the more opaque. */
export class OverlayColours extends DifferenceColours {
  get isShuttered() {
    return false;
  }

  /** @param {Uint32Array} table */
  fill(table) {
    for (let v = 0; v < 65536; v++) {
      const share = (v - 32768) / this.reach;
      const alpha = Math.round(OVERLAY_ALPHA * Math.min(1, Math.abs(share)));
      table[v] = (alpha << 24) | packed(share < 0 ? DARKER : BRIGHTER);
    }
  }
}

/**
 * Return red, green and blue of a difference.
 * @param {number} t from -1 (the real image is darker) over 0 to 1 (the real image is brighter)
 */
export function differenceColour(t) {
  const end = t < 0 ? DARKER : BRIGHTER;
  const part = Math.min(1, Math.abs(t));
  return SAME.map((same, i) => Math.round(same + (end[i] - same) * part));
}

/**
 * @param {number} a
 * @param {number} b
 */
const larger = (a, b) => (Math.abs(a - 32768) >= Math.abs(b - 32768) ? a : b);

/** @param {number[]} colour red, green and blue */
export const packed = ([red, green, blue]) => (blue << 16) | (green << 8) | red;
