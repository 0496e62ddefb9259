// The keys of the reading room. Digits 1 to 9 are verdicts and questions and nothing else.

import { COMMANDS, isElsewhere, nameOf } from "./key_map.js";

const REPEATABLE = /^(brighter|darker|wider|narrower|zoom|pan|flicker)/;

/** @returns {string | null} the command that this key press asks for */
export function commandOf(event) {
  if (isElsewhere(event)) return null;
  const name = COMMANDS.of(nameOf(event));
  return event.repeat && !REPEATABLE.test(name ?? "") ? null : name;
}

/** @returns {number} the place (0 to 8) of the verdict or answer asked for, or -1 */
export function verdictOf(event, count) {
  if (event.repeat || isElsewhere(event)) return -1;
  // By code as well: a French keyboard has its digits on the shifted layer.
  const digit = /^[1-9]$/.test(event.key) ? event.key : event.code.match(/^(?:Digit|Numpad)([1-9])$/)?.[1];
  const onControl = event.target.closest?.("button, a, input, select, summary");
  if (count === 1 && !onControl && (event.key === "Enter" || event.key === " ")) return 0;
  return digit && digit <= count ? digit - 1 : -1;
}
