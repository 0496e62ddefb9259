// Which key gives which command: the standard keys of the page and of the form, and the reader's own changes.

import { closest } from "../dom.js";
import { PAGE_KEYS } from "./page_keys.js";

/** @import { Keys } from "../forms/form.js" */
/** @import { OwnKeys } from "../network/own_keys.js" */

// Answers, next and back, moving the focus, and keys that have no meaning alone.
const RESERVED_NAMES =
  "Enter Escape Tab Backspace Delete Shift Control Alt AltGraph Meta CapsLock Dead Unidentified Process";
const RESERVED = new RegExp(`^([1-9]| |F\\d+|${RESERVED_NAMES.replaceAll(" ", "|")})$`);

/** @type {Record<string, string>} */
const ARROWS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };

/** Dispatches "change". */
export class KeyMap extends EventTarget {
  #standard;
  #repeated;
  #own;
  /** @type {Record<string, string[]>} */
  #changes;

  /**
   * @param {Keys} keys of the form
   * @param {Pick<OwnKeys, "get" | "set">} own the reader's changes: readers share workstations
   */
  constructor({ standard, repeated }, own) {
    super();
    this.#standard = { ...standard, ...PAGE_KEYS };
    this.#repeated = new Set(repeated);
    this.#own = own;
    this.#changes = own.get((changes) => isValid(changes, this.#standard));
  }

  /** @param {string} command */
  keysOf(command) {
    return this.#changes[command] ?? this.#standard[command];
  }

  /**
   * Return the command of a key, or null.
   * @param {string} key
   */
  commandOf(key) {
    return Object.keys(this.#standard).find((command) => this.keysOf(command).includes(key)) ?? null;
  }

  /** @param {string} command */
  isChanged(command) {
    return this.keysOf(command) !== this.#standard[command];
  }

  /**
   * Whether a held key repeats the command.
   * @param {string} command
   */
  isRepeated(command) {
    return this.#repeated.has(command);
  }

  /**
   * Give a key to a command. A command that had it gets the key that the other gives up.
   * @param {string} command
   * @param {string} key not reserved
   */
  change(command, key) {
    const owner = this.commandOf(key);
    const swapped = owner && owner !== command ? { [owner]: [this.keysOf(command)[0]] } : {};
    this.#store({ ...this.#changes, ...swapped, [command]: [key] });
  }

  /** Return to the standard keys. */
  reset() {
    this.#store({});
  }

  /** @param {Record<string, string[]>} changes */
  #store(changes) {
    this.#changes = changes;
    this.#own.set(changes);
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
 * Return a key as it is shown.
 * @param {string} key
 */
export const symbolOf = (key) =>
  key.length === 1 ? key.toUpperCase() : key.replace("Shift+", "⇧ ").replace(/Arrow\w+/, (arrow) => ARROWS[arrow]);

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
 * Whether stored changes are undamaged and give no key to two commands.
 * @param {unknown} changes
 * @param {Record<string, string[]>} standard
 * @returns {changes is Record<string, string[]>}
 */
function isValid(changes, standard) {
  if (typeof changes !== "object" || changes === null || Array.isArray(changes)) return false;
  if (Object.keys(changes).some((command) => !Object.hasOwn(standard, command))) return false;
  if (!Object.values(changes).every(isValidKeys)) return false;
  const all = Object.values({ ...standard, ...changes }).flat();
  return new Set(all).size === all.length;
}

/** @param {unknown} keys */
function isValidKeys(keys) {
  if (!Array.isArray(keys) || keys.length !== 1) return false;
  const [key] = keys;
  return typeof key === "string" && key !== "" && !isReserved(key);
}
