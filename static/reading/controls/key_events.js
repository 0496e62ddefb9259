// What a key press means in the reading room. Digits 1 to 9 are verdicts and answers and nothing else.

import { closest } from "../dom.js";
import { isElsewhere, keyName } from "./key_map.js";

/** @import { KeyMap } from "./key_map.js" */

/**
 * Return the command of a key press, or null.
 * @param {KeyMap} keyMap
 * @param {KeyboardEvent} event
 */
export function commandOf(keyMap, event) {
  return isElsewhere(event) ? null : commandOfKey(keyMap, event);
}

/**
 * Return the command of a key press, wherever it happens, or null.
 * @param {KeyMap} keyMap
 * @param {KeyboardEvent} event
 */
export function commandOfKey(keyMap, event) {
  const command = keyMap.commandOf(keyName(event));
  return command && event.repeat && !keyMap.isRepeated(command) ? null : command;
}

/**
 * Return the index of the verdict or answer that a key press chooses, or -1.
 * @param {KeyboardEvent} event
 * @param {number} count of the verdicts or answers
 */
export function choiceOf(event, count) {
  if (event.repeat || isElsewhere(event)) return -1;
  const digit = digitOf(event);
  const onControl = closest(event, "button, a, input, select, summary");
  if (count === 1 && !onControl && (event.key === "Enter" || event.key === " ")) return 0;
  return digit && Number(digit) <= count ? Number(digit) - 1 : -1;
}

/**
 * Return the digit of a key press, or null.
 * @param {KeyboardEvent} event
 * @returns {string | null}
 */
export function digitOf(event) {
  if (event.repeat || isElsewhere(event)) return null;
  // By code as well: a French keyboard has its digits on the shifted layer.
  return /^[0-9]$/.test(event.key) ? event.key : (event.code.match(/^(?:Digit|Numpad)([0-9])$/)?.[1] ?? null);
}
