// Typed access to the elements of the page.

/**
 * Return the first element that matches.
 * @template {Element} T
 * @param {string} selector
 * @param {new () => T} type
 * @param {ParentNode} [root]
 * @returns {T}
 * @throws {Error} if there is none of this type
 */
export function find(selector, type, root = document) {
  const element = root.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`The page has no ${selector}.`);
  return element;
}

/**
 * Return all elements that match, in document order.
 * @template {Element} T
 * @param {string} selector
 * @param {new () => T} type
 * @param {ParentNode} [root]
 * @returns {T[]}
 */
export function findAll(selector, type, root = document) {
  const elements = [];
  for (const element of root.querySelectorAll(selector)) if (element instanceof type) elements.push(element);
  return elements;
}

/**
 * Return the innermost element around the event's target that matches, or null.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function closest({ target }, selector) {
  const element = target instanceof Element ? target.closest(selector) : null;
  return element instanceof HTMLElement ? element : null;
}

/**
 * Return the value of a data attribute.
 * @param {HTMLElement | SVGElement} element
 * @param {string} name as in `dataset`
 * @throws {Error} if the element does not have it
 */
export function data(element, name) {
  const value = element.dataset[name];
  if (value === undefined) throw new Error(`${element.id || element.localName} has no data for ${name}.`);
  return value;
}

/**
 * Return the 2D context of a canvas.
 * @param {HTMLCanvasElement} canvas without a context of another kind
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function context2d(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("The canvas has no 2D context.");
  return context;
}
