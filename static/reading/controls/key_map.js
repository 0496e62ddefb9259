// Which key gives which command: OHIF's map, as far as it does not meet the verdicts, and the reader's own changes,
// kept in this browser. OHIF's presets on digits are one key here; its Space (reset) would press a focused verdict.

/** Command → keys, by `KeyboardEvent.key`; letters in lower case. */
export const STANDARD = {
  brighter: ["ArrowUp"],
  darker: ["ArrowDown"],
  wider: ["ArrowRight"],
  narrower: ["ArrowLeft"],
  preset: ["p"],
  invert: ["i"],
  zoomIn: ["+"],
  zoomOut: ["-"],
  fit: ["="],
  oneToOne: ["o"],
  panUp: ["Shift+ArrowUp"],
  panDown: ["Shift+ArrowDown"],
  panLeft: ["Shift+ArrowLeft"],
  panRight: ["Shift+ArrowRight"],
  loupe: ["m"],
  flipAcross: ["h"],
  flipDown: ["v"],
  turnRight: ["r"],
  turnLeft: ["l"],
  reset: ["0"],
  dragWindow: ["w"],
  dragZoom: ["z"],
  dragPan: ["g"],
  flicker: ["a"],
  overlay: ["d"],
  panel: ["s"],
  mark: ["x"],
  fullScreen: ["f"],
  pause: ["b", "Pause"],
  tools: ["t"],
  help: ["?"],
};

const STORED = "reading.keys";
// Verdicts and questions, going on and back, moving the focus, and keys that say nothing by themselves.
const RESERVED = /^([1-9]|Enter|Escape| |Tab|Backspace|Delete|Shift|Control|Alt|AltGraph|Meta|CapsLock|Dead|Unidentified|Process|F\d+)$/;

class Keymap extends EventTarget {
  #changes = read();

  /** @returns {string[]} */
  keysOf(command) {
    return this.#changes[command] ?? STANDARD[command];
  }

  /** @returns {string | null} the command of this key */
  of(key) {
    return Object.keys(STANDARD).find((command) => this.keysOf(command).includes(key)) ?? null;
  }

  /** @param {string} key not reserved, and no other command's */
  change(command, key) {
    this.#keep({ ...this.#changes, [command]: [key] });
  }

  standard() {
    this.#keep({});
  }

  #keep(changes) {
    this.#changes = changes;
    try {
      localStorage.setItem(STORED, JSON.stringify(changes));
    } catch {
      // Full or forbidden: the change lives as long as the page.
    }
    this.dispatchEvent(new Event("change"));
  }
}

export const COMMANDS = new Keymap();

/** Whether no command may have this key. */
export function isReserved(key) {
  return RESERVED.test(key);
}

/** The key of an event as the map names it. */
export function nameOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return event.shiftKey && key.startsWith("Arrow") ? `Shift+${key}` : key;
}

/** Whether a key press is meant for a field, a dialog or the browser. */
export function isElsewhere(event) {
  const typing = event.target.closest?.("input, textarea, select, dialog[open]");
  return Boolean(typing || event.ctrlKey || event.metaKey || event.altKey || event.isComposing);
}

/** The stored changes; none where they are damaged or would leave a key with two commands. */
function read() {
  const stored = parsed(localStorage.getItem(STORED) ?? "{}");
  return isSound(stored) ? stored : {};
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isSound(changes) {
  if (typeof changes !== "object" || changes === null || Array.isArray(changes)) return false;
  if (Object.keys(changes).some((command) => !Object.hasOwn(STANDARD, command))) return false;
  const sound = (keys) => Array.isArray(keys) && keys.length === 1 && typeof keys[0] === "string" && keys[0] !== "";
  if (!Object.values(changes).every((keys) => sound(keys) && !isReserved(keys[0]))) return false;
  const all = Object.values({ ...STANDARD, ...changes }).flat();
  return new Set(all).size === all.length;
}
