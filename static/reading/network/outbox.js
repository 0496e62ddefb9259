// At most one verdict on its way. It is kept until the server has it: over a reload, a crash, a sign-in.

import { Keep } from "./indexed_db.js";
import { persist, TakenOver, tell } from "./api.js";

export class Outbox {
  #url;
  #keep;

  /**
   * @param {string} url where verdicts go
   * @param {string} name the storage name: one per reader and session, so that nobody sends another's
   */
  constructor(url, name) {
    this.#url = url;
    this.#keep = new Keep(name);
  }

  /** @returns {Promise<{verdict: object, since: number} | null>} the letter that was not acknowledged before */
  async kept() {
    const letter = await this.#keep.get();
    return letter?.since ? letter : null;
  }

  /** @returns {Promise<object | null>} the verdict on this picture whose questions were not all answered before */
  async draftOn(code) {
    const letter = await this.#keep.get();
    return letter?.draft?.stimulus === code ? letter.draft : null;
  }

  /** A verdict is final, though it leaves only with its answers. */
  keepDraft(verdict) {
    this.#keep.set({ draft: verdict });
  }

  /** A verdict ready to be delivered, with the time from which it waits. */
  letter(verdict) {
    return { verdict, since: Date.now() }; // of the wall: it may wait over a reload
  }

  /**
   * Send until the server has answered; the same key each time, so that it counts once.
   * @param {{page: string, onTrouble: () => void, signal: AbortSignal, lasting: boolean}} how `page` is the one that
   *   reads now, which may not be the one that made the verdict; `lasting`: kept over a reload
   * @returns {Promise<object>} the answer: receipt and the next step
   */
  async deliver(letter, { page, onTrouble, signal, lasting = true }) {
    if (lasting) this.#keep.set(letter);
    let answered = false;
    try {
      const answer = await persist(() => tell(this.#url, bodyOf(letter, page)), onTrouble, signal);
      answered = true;
      return answer;
    } catch (trouble) {
      // A refusal is an answer too; a lost sign-in is not, nor that this page was told to stop.
      answered = "status" in trouble || (trouble instanceof TakenOver && !signal.aborted);
      throw trouble;
    } finally {
      if (answered && lasting) this.#keep.remove();
    }
  }
}

function bodyOf({ verdict, since }, page) {
  const waited = Math.max(0, Date.now() - since);
  return { ...verdict, page, paradata: { ...verdict.paradata, waited_ms: waited } };
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
