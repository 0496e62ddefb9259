// How a question is answered in the bar: by buttons, or in a field. Marks are set in the image and have no control.

import { choiceOf, digitOf } from "./key_events.js";

/** @typedef {string | number | string[]} GivenAnswer */

/**
 * What a control needs to know of a question.
 * @typedef {object} Asked
 * @property {string} kind
 * @property {{value: string, text: string}[]} [choices]
 * @property {number | null} [minimum]
 * @property {number | null} [maximum]
 * @property {string | null} [minimum_label]
 * @property {string | null} [maximum_label]
 * @property {boolean} [whole]
 * @property {number} [longest]
 */

/**
 * @typedef {object} AnswerControl
 * @property {(HTMLElement | string)[]} elements
 * @property {boolean} isImmediate whether a press of one button answers; otherwise Enter does
 * @property {HTMLInputElement | null} field to be focused; null: none
 * @property {(button: HTMLElement) => GivenAnswer | null} take a press of a button; returns the answer, or null
 * @property {(event: KeyboardEvent) => HTMLButtonElement | null} buttonOf a key
 * @property {() => GivenAnswer | null | undefined} value that Enter gives; null: none, undefined: an impossible one
 */

/** @type {AnswerControl} */
const NONE = Object.freeze({
  elements: [],
  isImmediate: true,
  field: null,
  take: () => null,
  buttonOf: () => null,
  value: () => null,
});

/**
 * Return the control of a question, with the answer that was given before.
 * @param {Asked} question
 * @param {unknown} before
 * @param {string} labelledBy ids of the elements that label a field
 * @returns {AnswerControl}
 */
export function controlOf(question, before, labelledBy) {
  switch (question.kind) {
    case "choice":
      return oneOf(question, before);
    case "choices":
      return someOf(question, before);
    case "scale":
      return scale(question, before);
    case "number":
    case "text":
      return field(question, before, labelledBy);
    default:
      return NONE;
  }
}

/**
 * @param {Asked} question
 * @param {unknown} before
 * @returns {AnswerControl}
 */
function oneOf({ choices = [] }, before) {
  const buttons = choices.map(({ value, text }, i) => button(value, text, String(i + 1), value === before));
  return {
    elements: buttons,
    isImmediate: true,
    field: null,
    take: (pressed) => (pressed instanceof HTMLButtonElement ? pressed.value : null),
    buttonOf: (event) => buttons[choiceOf(event, buttons.length)] ?? null,
    value: () => null,
  };
}

/**
 * @param {Asked} question
 * @param {unknown} before
 * @returns {AnswerControl}
 */
function someOf({ choices = [] }, before) {
  const chosen = new Set(Array.isArray(before) ? before : []);
  const buttons = choices.map(({ value, text }, i) => button(value, text, String(i + 1), false));
  const show = () => {
    for (const each of buttons) each.setAttribute("aria-pressed", String(chosen.has(each.value)));
  };
  show();
  return {
    elements: buttons,
    isImmediate: false,
    field: null,
    take: (pressed) => {
      if (!(pressed instanceof HTMLButtonElement)) return null;
      if (!chosen.delete(pressed.value)) chosen.add(pressed.value);
      show();
      return null;
    },
    buttonOf: (event) => buttons[choiceOf(event, buttons.length)] ?? null,
    value: () => (chosen.size ? choices.map(({ value }) => value).filter((value) => chosen.has(value)) : null),
  };
}

/**
 * The points of a scale. A scale of digits has them as keys, another one the digits from 1.
 * @param {Asked} question
 * @param {unknown} before
 * @returns {AnswerControl}
 */
function scale({ minimum, maximum, minimum_label, maximum_label }, before) {
  const low = Number(minimum);
  const points = Array.from({ length: Number(maximum) - low + 1 }, (_, i) => low + i);
  const isDigits = low >= 0 && low <= 9;
  const keyOf = (/** @type {number} */ point, /** @type {number} */ i) => {
    const key = isDigits ? point : i + 1;
    return key <= 9 ? String(key) : null;
  };
  const buttons = points.map((point, i) => {
    const key = keyOf(point, i);
    const shown = isDigits ? String(point) : signed(point);
    const made = button(String(point), shown, isDigits ? null : key, point === before);
    if (key) made.setAttribute("aria-keyshortcuts", key);
    return made;
  });
  nameEnd(buttons[0], minimum_label);
  nameEnd(buttons[buttons.length - 1], maximum_label);
  return {
    elements: [...end(minimum_label), ...buttons, ...end(maximum_label)],
    isImmediate: true,
    field: null,
    take: (pressed) => (pressed instanceof HTMLButtonElement ? Number(pressed.value) : null),
    buttonOf: (event) => {
      const digit = digitOf(event);
      return buttons[points.findIndex((point, i) => digit !== null && keyOf(point, i) === digit)] ?? null;
    },
    value: () => null,
  };
}

/**
 * @param {Asked} question
 * @param {unknown} before
 * @param {string} labelledBy
 * @returns {AnswerControl}
 */
function field(question, before, labelledBy) {
  const input = document.createElement("input");
  const isNumber = question.kind === "number";
  input.type = isNumber ? "number" : "text";
  input.autocomplete = "off";
  input.setAttribute("aria-labelledby", labelledBy);
  if (isNumber) {
    input.step = question.whole ? "1" : "any";
    if (question.minimum != null) input.min = String(question.minimum);
    if (question.maximum != null) input.max = String(question.maximum);
  } else input.maxLength = question.longest ?? 500;
  if (before !== undefined) input.value = String(before);
  const value = () => {
    const text = input.value.trim();
    // A field of type number has no value while its text is not a number.
    if (!text) return input.validity.badInput ? undefined : null;
    if (!isNumber) return text;
    return input.validity.valid && Number.isFinite(Number(text)) ? Number(text) : undefined;
  };
  return {
    elements: [...end(question.minimum_label), input, ...end(question.maximum_label)],
    isImmediate: false,
    field: input,
    take: () => null,
    buttonOf: () => null,
    value,
  };
}

/**
 * Return what a number may be, such as "0 – 10"; empty if it has no bounds.
 * @param {Asked} question
 * @param {Intl.NumberFormat} format
 */
export function boundsText({ kind, minimum, maximum }, format) {
  if (kind !== "number") return "";
  if (minimum != null && maximum != null) return `${format.format(minimum)} – ${format.format(maximum)}`;
  if (minimum != null) return `≥ ${format.format(minimum)}`;
  return maximum == null ? "" : `≤ ${format.format(maximum)}`;
}

/**
 * @param {string} value
 * @param {string} text
 * @param {string | null} key shown before the text
 * @param {boolean} isGiven whether it was the answer before
 */
function button(value, text, key, isGiven) {
  const made = document.createElement("button");
  made.type = "button";
  made.value = value;
  if (isGiven) made.setAttribute("aria-current", "true");
  if (key) {
    const shown = document.createElement("kbd");
    shown.textContent = key;
    made.setAttribute("aria-keyshortcuts", key);
    made.append(shown);
  }
  made.append(text);
  return made;
}

/** @param {string | null | undefined} label of one end of a scale or a number */
function end(label) {
  if (!label) return [];
  const made = document.createElement("span");
  made.className = "quiet";
  made.textContent = label;
  return [made];
}

/**
 * Say what the end of a scale means with its button, for screen readers.
 * @param {HTMLElement} button
 * @param {string | null | undefined} label
 */
function nameEnd(button, label) {
  if (label) button.setAttribute("aria-label", `${button.textContent} ${label}`);
}

/** @param {number} point */
const signed = (point) => String(point).replace("-", "−");
