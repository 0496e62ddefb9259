// How 65,536 levels become screen colours. Viewers that share a Tone are windowed together.

const OPAQUE = 0xff000000;

/** A table of 65,536 colours, made anew when it is asked for after a change. */
class Tone extends EventTarget {
  /** Counts the changes, so that who uses the table knows whether it is still the same. */
  version = 0;
  #table = new Uint32Array(65536);
  #filled = -1;

  /** @returns {Uint32Array} 65,536 pixels: alpha, blue, green, red from the high byte down */
  get table() {
    if (this.#filled !== this.version) this.fill(this.#table);
    this.#filled = this.version;
    return this.#table;
  }

  changed() {
    this.version++;
    this.dispatchEvent(new Event("change"));
  }
}

/** Grey by window and level. */
export class GreyTone extends Tone {
  /** The level that stands for four neighbours where the picture is much reduced: their mean. */
  ofFour = (a, b, c, d) => (a + b + c + d + 2) >> 2;
  center = 32768;
  width = 65536;
  inverted = false;
  preset = "standard";
  #levels = null;

  /** A new picture: back to the standard window, by the rule that holds for every picture. */
  start(levels) {
    this.#levels = levels;
    this.inverted = false;
    this.usePreset("standard");
  }

  /** @param {"standard" | "whole" | "dense"} name */
  usePreset(name) {
    const { low, high } = this.#levels;
    // "Whole" is not the picture's own range: one stray pixel would make it look like no other.
    const ranges = { standard: [low, high], whole: [0, 65535], dense: [low + 0.4 * (high - low), high] };
    const [from, to] = ranges[name];
    this.preset = name;
    this.#set((from + to) / 2, to - from);
  }

  nextPreset() {
    const names = ["standard", "whole", "dense"];
    this.usePreset(names[(names.indexOf(this.preset) + 1) % names.length]);
  }

  /** @param {number} level @param {number} width added, as shares of the standard window's width */
  adjust(level, width) {
    const unit = Math.max(1, this.#levels.high - this.#levels.low);
    this.preset = null;
    this.#set(this.center + level * unit, this.width + width * unit);
  }

  invert() {
    this.inverted = !this.inverted;
    this.changed();
  }

  fill(table) {
    const from = this.center - this.width / 2;
    const scale = 255 / this.width;
    const flip = this.inverted ? 255 : 0;
    for (let v = 0; v < 65536; v++) {
      const grey = Math.floor(Math.min(255, Math.max(0, (v - from) * scale)) + 0.5) ^ flip;
      table[v] = OPAQUE | (grey << 16) | (grey << 8) | grey;
    }
  }

  #set(center, width) {
    this.center = Math.min(65535, Math.max(0, center));
    this.width = Math.min(131072, Math.max(1, width));
    this.changed();
  }
}

// Sky blue, near-black, orange: distinct to colour-blind eyes, and no change stays dark in a dark room.
const DARKER = [86, 180, 233];
const SAME = [16, 16, 16];
const BRIGHTER = [255, 160, 40];
const OVERLAY_ALPHA = 217; // 85 %: the tissue stays visible below

/** Colour of a signed difference stored as 32768 + difference / 2; symmetric about no change. */
export class DifferenceTone extends Tone {
  /** The greatest change of the four: opposite ones would cancel out, and a small one must not vanish. */
  ofFour = (a, b, c, d) => further(further(a, b), further(c, d));
  /** Half the stored difference at which the colour is full. */
  reach = 32768;

  start(levels) {
    this.reach = levels.change || 32768; // no change at all: the whole scale, and all of it dark
    this.changed();
  }

  /** The full colour's difference as a share of the whole grey scale. */
  get share() {
    return (2 * this.reach) / 65535;
  }

  fill(table) {
    for (let v = 0; v < 65536; v++) table[v] = OPAQUE | packed(differenceColour((v - 32768) / this.reach));
  }
}

/** The same difference to be laid over a picture: the more change, the less one sees through it. */
export class OverlayTone extends DifferenceTone {
  fill(table) {
    for (let v = 0; v < 65536; v++) {
      const share = (v - 32768) / this.reach;
      const alpha = Math.round(OVERLAY_ALPHA * Math.min(1, Math.abs(share)));
      table[v] = (alpha << 24) | packed(share < 0 ? DARKER : BRIGHTER);
    }
  }
}

/** @param {number} t from -1 (real darker than its twin) over 0 to 1 (real brighter) */
export function differenceColour(t) {
  const end = t < 0 ? DARKER : BRIGHTER;
  const part = Math.min(1, Math.abs(t));
  return SAME.map((same, i) => Math.round(same + (end[i] - same) * part));
}

const further = (a, b) => (Math.abs(a - 32768) >= Math.abs(b - 32768) ? a : b);

const packed = ([red, green, blue]) => (blue << 16) | (green << 8) | red;
