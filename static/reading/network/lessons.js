// What the triptychs on screen and ahead teach. A triptych is shown without it if it cannot be had.

import { get } from "./api.js";

/** @import { Lesson, Presentation } from "./api.js" */

export class Lessons {
  /** @type {Map<string, Promise<Lesson | null>>} */
  #lessons = new Map();

  /**
   * Return the lesson of a presentation; null if it has none. It is requested once, unless the request failed.
   * @param {Presentation} presentation
   * @returns {Promise<Lesson | null>}
   */
  of({ code, lesson: url }) {
    if (!url) return Promise.resolve(null);
    const known = this.#lessons.get(code);
    if (known) return known;
    const lesson = get(url).catch(() => {
      this.#lessons.delete(code);
      return null;
    });
    this.#lessons.set(code, lesson);
    return lesson;
  }

  /**
   * Discard all but those of these presentations.
   * @param {(string | undefined)[]} codes
   */
  keepOnly(...codes) {
    for (const code of [...this.#lessons.keys()]) if (!codes.includes(code)) this.#lessons.delete(code);
  }
}
