// At most one verdict on its way. It is kept until the server has it: over a reload, a crash, a sign-in.

import { persist, tell } from "./wire.js";

export class Outbox {
  #url;
  #name;

  /**
   * @param {string} url where verdicts go
   * @param {string} name the storage name: one per reader and session, so that nobody sends another's
   */
  constructor(url, name) {
    this.#url = url;
    this.#name = name;
  }

  /** @returns {object | null} the verdict that was not acknowledged before the page went away */
  get kept() {
    try {
      return JSON.parse(sessionStorage.getItem(this.#name));
    } catch {
      return null;
    }
  }

  /**
   * Send until the server has answered; the same key each time, so that it counts once.
   * @returns {Promise<object>} the answer: receipt and the next step
   */
  async deliver(verdict, onTrouble) {
    sessionStorage.setItem(this.#name, JSON.stringify(verdict));
    let answered = false;
    try {
      const answer = await persist(() => tell(this.#url, verdict), onTrouble);
      answered = true;
      return answer;
    } catch (trouble) {
      // A refusal is an answer too; a lost sign-in is not.
      answered = "status" in trouble;
      throw trouble;
    } finally {
      if (answered) sessionStorage.removeItem(this.#name);
    }
  }
}

/** A random UUID; plain http has no crypto.randomUUID. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40; // version 4
  bytes[8] = (bytes[8] & 0x3f) | 0x80; // variant 1
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
