// At most one verdict on its way. It is stored until the server has it: over a reload, a crash, a sign-in.

import { post, Refused, retry, StudyPaused, TakenOver } from "./api.js";
import { StoredValue } from "./indexed_db.js";

/** @import { Reading } from "./api.js" */
/** @typedef {{reading: Reading, since: number}} Pending a verdict, and from when (wall clock) it waits for delivery */
/** @typedef {{draft: Reading}} Draft a verdict whose questions are not all answered */

export class Outbox {
  #url;
  #stored;

  /**
   * @param {string} url to which verdicts are sent
   * @param {string} name of the storage: one per reader and session, so that nobody sends the verdict of another
   */
  constructor(url, name) {
    this.#url = url;
    this.#stored = /** @type {StoredValue<Pending | Draft>} */ (new StoredValue(name));
  }

  /** Return the verdict that was not acknowledged before, or null. */
  async pending() {
    const value = await this.#stored.get();
    return value && "reading" in value ? value : null;
  }

  /**
   * Return the verdict on this presentation whose questions were not all answered before, or null.
   * @param {string} code
   */
  async draftOn(code) {
    const value = await this.#stored.get();
    return value && "draft" in value && value.draft.stimulus === code ? value.draft : null;
  }

  /**
   * Store a verdict that is sent only with its answers: it is final already.
   * @param {Reading} reading
   */
  keepDraft(reading) {
    this.#stored.set({ draft: reading });
  }

  /**
   * Store a verdict that is to be sent in a moment.
   * @param {Pending} pending
   */
  keep(pending) {
    this.#stored.set(pending);
  }

  /** Forget what is stored: the reader took it back. */
  discard() {
    return this.#stored.remove();
  }

  /**
   * Send a verdict until the server has answered. Its key is the same each time, so that it counts once.
   * @param {Pending} pending
   * @param {object} options
   * @param {string} options.page the page that reads now, perhaps not the one on which the verdict was given
   * @param {() => void} options.onNoResponse
   * @param {AbortSignal} options.signal
   * @param {boolean} [options.lasting] whether it is stored over a reload
   * @returns {Promise<{receipt: string | null, step: import("./api.js").Step}>}
   */
  async deliver(pending, { page, onNoResponse, signal, lasting = true }) {
    if (lasting) this.#stored.set(pending);
    let isAnswered = false;
    try {
      const answer = await retry(() => post(this.#url, bodyOf(pending, page)), onNoResponse, signal);
      isAnswered = true;
      return answer;
    } catch (error) {
      // A refusal is an answer too; a pause or a lost sign-in is not, nor is an order to this page to stop.
      const isRefused = error instanceof Refused && !(error instanceof StudyPaused);
      isAnswered = isRefused || (error instanceof TakenOver && !signal.aborted);
      throw error;
    } finally {
      if (isAnswered && lasting) this.#stored.remove();
    }
  }
}

/**
 * @param {Pending} pending
 * @param {string} page
 */
function bodyOf({ reading, since }, page) {
  const waited = Math.max(0, Date.now() - since);
  return { ...reading, page, paradata: { ...reading.paradata, waited_ms: waited } };
}

/** Return a random UUID. Plain http has no crypto.randomUUID. */
export function newKey() {
  // @ts-ignore: not in every browsing context
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40; // version 4
  bytes[8] = (bytes[8] & 0x3f) | 0x80; // variant 1
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
