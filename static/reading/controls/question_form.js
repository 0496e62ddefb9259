// Questions that are answered all at once, as an ordinary form: fields, labels, and the browser's own checks.

import { boundsText } from "./answer_controls.js";

/** @import { Asked, GivenAnswer } from "./answer_controls.js" */
/** @typedef {Asked & {name: string, text: string, required: boolean}} FormQuestion */
/** @typedef {Record<string, GivenAnswer>} GivenAnswers by question */

/**
 * Return the fields of a question, with the answer that was given before.
 * @param {FormQuestion} question
 * @param {number} number of the question in its form, for ids
 * @param {unknown} before
 * @param {{optional: string, format: Intl.NumberFormat}} words
 */
export function fieldsOf(question, number, before, words) {
  const id = `closing-${number}`;
  const text = question.required ? question.text : `${question.text} (${words.optional})`;
  switch (question.kind) {
    case "choice":
    case "choices":
      return group(question, id, text, optionsOf(question), before);
    case "scale":
      return group(question, id, text, pointsOf(question), before);
    default:
      return field(question, id, text, before, words.format);
  }
}

/**
 * Return the answers in a form, without those that were left empty.
 * @param {HTMLFormElement} form
 * @param {FormQuestion[]} questions
 * @returns {GivenAnswers}
 */
export function answersIn(form, questions) {
  const data = new FormData(form);
  /** @type {GivenAnswers} */
  const answers = {};
  questions.forEach(({ name, kind }, number) => {
    const values = data.getAll(`closing-${number}`).map((value) => String(value).trim());
    const given = values.filter(Boolean);
    if (!given.length) return;
    if (kind === "choices") answers[name] = given;
    else answers[name] = kind === "scale" || kind === "number" ? Number(given[0]) : given[0];
  });
  return answers;
}

/**
 * Return the first question that must be answered and is not: the browser does not check groups of boxes.
 * @param {FormQuestion[]} questions
 * @param {GivenAnswers} answers
 */
export function missingIn(questions, answers) {
  return questions.findIndex(({ name, required }) => required && !(name in answers));
}

/** @param {Asked} question */
const optionsOf = ({ choices = [] }) => choices.map(({ value, text }) => ({ value, text }));

/** @param {Asked} question */
function pointsOf({ minimum, maximum, minimum_label, maximum_label }) {
  const low = Number(minimum);
  const high = Number(maximum);
  return Array.from({ length: high - low + 1 }, (_, i) => {
    const label = (i === 0 && minimum_label) || (low + i === high && maximum_label);
    const text = String(low + i).replace("-", "−");
    return { value: String(low + i), text: label ? `${text} (${label})` : text };
  });
}

/**
 * @param {FormQuestion} question
 * @param {string} id
 * @param {string} text
 * @param {{value: string, text: string}[]} options
 * @param {unknown} before
 */
function group(question, id, text, options, before) {
  const made = document.createElement("fieldset");
  made.id = id;
  if (question.kind === "scale") made.className = "scale";
  const legend = document.createElement("legend");
  legend.textContent = text;
  const given = (Array.isArray(before) ? before : [before]).map(String);
  made.append(legend);
  for (const option of options) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = question.kind === "choices" ? "checkbox" : "radio";
    input.name = id;
    input.value = option.value;
    input.checked = given.includes(option.value);
    input.required = question.required && question.kind !== "choices";
    label.append(input, ` ${option.text}`);
    made.append(label);
  }
  return made;
}

/**
 * @param {FormQuestion} question
 * @param {string} id
 * @param {string} text
 * @param {unknown} before
 * @param {Intl.NumberFormat} format
 */
function field(question, id, text, before, format) {
  const made = document.createElement("p");
  const label = document.createElement("label");
  label.htmlFor = `${id}-field`;
  label.textContent = text;
  made.append(label);
  const isLong = question.kind === "text" && (question.longest ?? 0) > 100;
  const input = document.createElement(isLong ? "textarea" : "input");
  input.id = label.htmlFor;
  input.name = id;
  input.required = question.required;
  if (before !== undefined) input.value = String(before);
  if (question.kind === "text") input.maxLength = question.longest ?? 500;
  if (input instanceof HTMLInputElement) {
    input.type = question.kind === "number" ? "number" : "text";
    input.autocomplete = "off";
  }
  if (question.kind === "number" && input instanceof HTMLInputElement) limit(input, question);
  const hint = [question.minimum_label, boundsText(question, format), question.maximum_label].filter(Boolean).join(" ");
  if (hint) {
    const shown = document.createElement("span");
    shown.id = `${id}-hint`;
    shown.className = "quiet";
    shown.textContent = hint;
    input.setAttribute("aria-describedby", shown.id);
    made.append(shown);
  }
  made.append(input);
  return made;
}

/**
 * @param {HTMLInputElement} input
 * @param {Asked} question
 */
function limit(input, { whole, minimum, maximum }) {
  input.step = whole ? "1" : "any";
  if (minimum != null) input.min = String(minimum);
  if (maximum != null) input.max = String(maximum);
}
