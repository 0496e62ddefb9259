// The forms of images that the page can show, by the name that the page has as data-form.

/** @import { Form } from "./form.js" */

/**
 * Each form is imported when it is needed. The page loads its script beside main.js, so that nothing waits for it.
 * @type {Record<string, () => Promise<{form: Form<any>}>>}
 */
export const FORMS = {
  picture: () => import("./picture/form.js"),
};

/**
 * @param {string} name
 * @throws {Error} if there is no form of this name
 */
export async function formNamed(name) {
  if (!Object.hasOwn(FORMS, name)) throw new Error(`There is no form ${name}.`);
  const { form } = await FORMS[name]();
  return form;
}
