// The reader's own keys: stored on the server, so that they are the same on every workstation. What has not reached it
// stays in this browser and is sent with the next page.

import { put } from "./api.js";

/** @typedef {Record<string, string[]>} Changes keys by command */

export class OwnKeys {
  #url;
  #name;
  #stored;

  /**
   * @param {string} url to store them at
   * @param {string} name of the storage in this browser, one per reader
   * @param {unknown} stored on the server
   */
  constructor(url, name, stored) {
    this.#url = url;
    this.#name = name;
    this.#stored = stored;
  }

  /**
   * Return the reader's changes; those that have not reached the server are newer. None if they are damaged.
   * @param {(changes: unknown) => changes is Changes} isValid
   * @returns {Changes}
   */
  get(isValid) {
    const unsent = parsed(localStorage.getItem(this.#name));
    if (isValid(unsent)) {
      this.#send(unsent);
      return unsent;
    }
    localStorage.removeItem(this.#name);
    return isValid(this.#stored) ? this.#stored : {};
  }

  /** @param {Changes} changes */
  set(changes) {
    try {
      localStorage.setItem(this.#name, JSON.stringify(changes));
    } catch {
      // Full or forbidden: they are only sent.
    }
    this.#send(changes);
  }

  /** @param {Changes} changes */
  async #send(changes) {
    const text = JSON.stringify(changes);
    try {
      await put(this.#url, { keys: changes });
    } catch {
      return; // they apply on this page, and are sent with the next
    }
    if (localStorage.getItem(this.#name) === text) localStorage.removeItem(this.#name);
  }
}

/** @param {string | null} text */
function parsed(text) {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}
