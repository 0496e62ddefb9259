// Which key gives which command: OHIF's keys as far as they do not collide with the verdicts, and the reader's own
// changes, stored in this browser. OHIF's presets on digits are one key here; its Space (reset) would press a verdict
// button that has the focus.

import { closest } from "../dom.js";

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

/** @typedef {keyof typeof STANDARD} Command */

const COMMANDS = /** @type {Command[]} */ (Object.keys(STANDARD));
const STORED = "reading.keys";
// Answers, next and back, moving the focus, and keys that have no meaning alone.
const RESERVED_NAMES =
  "Enter Escape Tab Backspace Delete Shift Control Alt AltGraph Meta CapsLock Dead Unidentified Process";
const RESERVED = new RegExp(`^([1-9]| |F\\d+|${RESERVED_NAMES.replaceAll(" ", "|")})$`);

/** Dispatches "change". */
export class KeyMap extends EventTarget {
  #changes = storedChanges();

  /**
   * @param {Command} command
   * @returns {string[]}
   */
  keysOf(command) {
    return this.#changes[command] ?? STANDARD[command];
  }

  /**
   * Return the command of a key, or null.
   * @param {string} key
   */
  commandOf(key) {
    return COMMANDS.find((command) => this.keysOf(command).includes(key)) ?? null;
  }

  /** @param {Command} command */
  isChanged(command) {
    return this.keysOf(command) !== STANDARD[command];
  }

  /**
   * @param {Command} command
   * @param {string} key neither reserved nor the key of another command
   */
  change(command, key) {
    this.#store({ ...this.#changes, [command]: [key] });
  }

  /** Return to the standard keys. */
  reset() {
    this.#store({});
  }

  /** @param {Partial<Record<Command, string[]>>} changes */
  #store(changes) {
    this.#changes = changes;
    try {
      localStorage.setItem(STORED, JSON.stringify(changes));
    } catch {
      // Full or forbidden: the change lasts as long as the page.
    }
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Whether no command may have this key.
 * @param {string} key
 */
export function isReserved(key) {
  return RESERVED.test(key);
}

/**
 * Return the key of an event as the map names it.
 * @param {{key: string, shiftKey: boolean}} event
 */
export function keyName(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return event.shiftKey && key.startsWith("Arrow") ? `Shift+${key}` : key;
}

/**
 * Whether a key press is meant for a field, a dialog or the browser.
 * @param {KeyboardEvent} event
 */
export function isElsewhere(event) {
  const isTyping = closest(event, "input, textarea, select, dialog[open]");
  return Boolean(isTyping || event.ctrlKey || event.metaKey || event.altKey || event.isComposing);
}

/**
 * Return the stored changes; none if they are damaged or would give a key to two commands.
 * @returns {Partial<Record<Command, string[]>>}
 */
function storedChanges() {
  const changes = parsed(localStorage.getItem(STORED) ?? "{}");
  return isValid(changes) ? changes : {};
}

/**
 * @param {string} text
 * @returns {unknown}
 */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * @param {unknown} changes
 * @returns {changes is Partial<Record<Command, string[]>>}
 */
function isValid(changes) {
  if (typeof changes !== "object" || changes === null || Array.isArray(changes)) return false;
  if (Object.keys(changes).some((command) => !Object.hasOwn(STANDARD, command))) return false;
  if (!Object.values(changes).every(isValidKeys)) return false;
  const all = Object.values({ ...STANDARD, ...changes }).flat();
  return new Set(all).size === all.length;
}

/** @param {unknown} keys */
function isValidKeys(keys) {
  if (!Array.isArray(keys) || keys.length !== 1) return false;
  const [key] = keys;
  return typeof key === "string" && key !== "" && !isReserved(key);
}
